#include "finite_values.h"

enum { WORTH_THREADS = 1 << 17 };

static bool all_finite(const float *values, size_t count) {
    unsigned bad = 0;
#pragma omp parallel for simd schedule(static) reduction(| : bad) if (count > WORTH_THREADS)
    for (size_t i = 0; i < count; i++)
        bad |= !is_finite_value(values[i]);
    return !bad;
}

size_t first_not_finite(const float *values, size_t count) {
    if (all_finite(values, count))
        return count;
    size_t at = 0;
    while (is_finite_value(values[at]))
        at++;
    return at;
}

const char *kind_of_value(float value) {
    return is_finite_value(value) ? "finite" : is_not_a_number(value) ? "NaN" : "infinite";
}
