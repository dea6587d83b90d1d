#include "pairwise_sum.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

struct pairwise_sum {
    int levels; /* log2(terms) */
    size_t floats;
    float *kept; /* (levels, floats): level l keeps the sum of 2^l terms */
};

pairwise_sum *pairwise_sum_create(int terms, size_t floats) {
    pairwise_sum *sum = allocate(1, sizeof *sum);
    while (1 << sum->levels < terms)
        sum->levels++;
    sum->floats = floats;
    sum->kept = sum->levels ? allocate((size_t)sum->levels * floats, sizeof *sum->kept) : NULL;
    return sum;
}

void pairwise_sum_free(pairwise_sum *sum) {
    if (!sum)
        return;
    free(sum->kept);
    free(sum);
}

static void add(float *restrict to, const float *restrict values, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] += values[i];
}

void pairwise_sum_add(pairwise_sum *sum, int term, size_t at, float *values, size_t count) {
    int level = 0;
    for (; term >> level & 1; level++)
        add(values, sum->kept + (size_t)level * sum->floats + at, count);
    if (level < sum->levels)
        memcpy(sum->kept + (size_t)level * sum->floats + at, values, count * sizeof *values);
}

void add_pairwise(float *values, int terms, size_t count) {
    for (int step = 1; step < terms; step *= 2)
        for (int i = 0; i + step < terms; i += 2 * step)
            add(values + (size_t)i * count, values + (size_t)(i + step) * count, count);
}
