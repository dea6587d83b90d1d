#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "student_t.h"

sample_summary summarise(const double *values, size_t count) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    double mean = count > 0 ? sum / (double)count : NAN;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    double deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : NAN;
    return (sample_summary){count, mean, deviation};
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, size_t count) {
    if (count == 0)
        return NAN;
    double *sorted = allocate(count, sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    double middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    free(sorted);
    return middle;
}

paired_difference compare_pairs(const double *first, const double *second, size_t pairs) {
    double *differences = allocate(pairs, sizeof *differences);
    for (size_t i = 0; i < pairs; i++)
        differences[i] = first[i] - second[i];
    sample_summary s = summarise(differences, pairs);
    free(differences);
    if (pairs < 2)
        return (paired_difference){pairs, s.mean, NAN, NAN};
    double t = student_t_quantile(0.975, (double)(pairs - 1));
    double half = t * s.deviation / sqrt((double)pairs);
    return (paired_difference){pairs, s.mean, s.mean - half, s.mean + half};
}
