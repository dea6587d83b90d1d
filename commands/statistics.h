/* What the report says of a few numbers: their spread, and a paired difference with its interval.
 */
#ifndef DLB_STATISTICS_H
#define DLB_STATISTICS_H

#include <stddef.h>

/* NAN where there is nothing to compute it from. */
typedef struct {
    size_t count;
    double mean;      /* NAN for no values */
    double deviation; /* standard deviation with n - 1; NAN for fewer than two */
} sample_summary;

sample_summary summarise(const double *values, size_t count);

/* The middle value, or the mean of the two in the middle; NAN for no values. None may be NAN. */
double median(const double *values, size_t count);

/* The mean of first[i] - second[i], and the interval that holds its expectation with a probability
 * of 95 %, by Student's t: for differences that are independent and roughly normal. */
typedef struct {
    size_t pairs;
    double mean;      /* NAN for no pairs */
    double low, high; /* NAN for fewer than two pairs, which have no spread to judge by */
} paired_difference;

paired_difference compare_pairs(const double *first, const double *second, size_t pairs);

#endif
