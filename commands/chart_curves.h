/* The lines of the charts: a value over images processed, averaged over the runs of an arm. */
#ifndef DLB_CHART_CURVES_H
#define DLB_CHART_CURVES_H

#include <stddef.h>

#include "comparison_results.h"

typedef enum { VALID_ERROR, TRAIN_CE, TRAIN_LB } curve_value; /* the first in percent */

typedef struct {
    double images;
    double mean, low, high; /* over the runs; low is the least and high the greatest */
} curve_point;

/* Owned; release it with free_curve(). */
typedef struct {
    size_t runs; /* that have the value at all */
    size_t count;
    curve_point *points; /* (count), images growing */
} curve;

/* A point wherever any of the arm's finished runs has a value, as far as all of them reach, so that
 * every point is over the same runs. Between its own values a run counts with the straight line.
 * A
 * point is not finite where a run has diverged. No points where none would be finite. */
curve average_runs(const comparison_results *results, size_t arm, curve_value what);

void free_curve(curve *c);

#endif
