/* Whether floats are numbers, told by their bits: the host is compiled with -Ofast, which takes
 * isnan() and isfinite() for known. Code here works whatever the flags of who calls it. */
#ifndef FINITE_VALUES_H
#define FINITE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of a float; false for NaN and both infinities, whose exponent has all bits set (IEEE 754). */
static inline bool is_finite_value(float value) {
    enum { EXPONENT = 0x7f800000 };
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & EXPONENT) != EXPONENT;
}

static inline bool is_not_a_number(float value) {
    const uint32_t FRACTION = 0x007fffff;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return !is_finite_value(value) && bits & FRACTION;
}

/* The first of values, (count), that is not finite; `count` where all are. Passes over them once,
 * as vector code, on OpenMP's threads where there are many. Any number of threads. */
size_t first_not_finite(const float *values, size_t count);

/* "NaN", "infinite" or "finite". */
const char *kind_of_value(float value);

#endif
