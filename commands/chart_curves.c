#include "chart_curves.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fail.h"

/* One run's values, x growing. */
typedef struct {
    size_t count;
    double *x, *y;
} series;

static bool find_value(const validation *v, curve_value what, double *value) {
    switch (what) {
    case VALID_ERROR:
        *value = 100 * (1 - v->top1);
        return true;
    case TRAIN_CE:
        *value = v->train_ce;
        return true;
    case TRAIN_LB:
        *value = v->train_lb;
        return v->has_lb;
    }
    return false;
}

static series collect(const run_log *log, curve_value what) {
    series s = {0, allocate(log->count, sizeof *s.x), allocate(log->count, sizeof *s.y)};
    for (size_t i = 0; i < log->count; i++)
        if (find_value(&log->validations[i], what, &s.y[s.count]))
            s.x[s.count++] = log->validations[i].images;
    return s;
}

/* x lies within the series. */
static double value_at(const series *s, double x) {
    size_t i = 0;
    while (s->x[i] < x)
        i++;
    if (s->x[i] == x)
        return s->y[i];
    double share = (x - s->x[i - 1]) / (s->x[i] - s->x[i - 1]);
    return s->y[i - 1] + share * (s->y[i] - s->y[i - 1]);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All x of all series within the range that they have in common, each once; returns how many. */
static size_t common_grid(const series *all, size_t runs, double *grid) {
    double first = -INFINITY, last = INFINITY;
    for (size_t r = 0; r < runs; r++) {
        first = fmax(first, all[r].x[0]);
        last = fmin(last, all[r].x[all[r].count - 1]);
    }
    size_t count = 0, different = 0;
    for (size_t r = 0; r < runs; r++)
        for (size_t i = 0; i < all[r].count; i++)
            if (all[r].x[i] >= first && all[r].x[i] <= last)
                grid[count++] = all[r].x[i];
    qsort(grid, count, sizeof *grid, by_size);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || grid[i] != grid[i - 1])
            grid[different++] = grid[i];
    return different;
}

static curve_point average_at(const series *all, size_t runs, double x) {
    curve_point point = {x, 0, INFINITY, -INFINITY};
    for (size_t r = 0; r < runs; r++) {
        double value = value_at(&all[r], x);
        point.mean += value / (double)runs;
        point.low = fmin(point.low, value);
        point.high = fmax(point.high, value);
    }
    return point;
}

static bool has_finite_point(const curve *c) {
    for (size_t i = 0; i < c->count; i++)
        if (isfinite(c->points[i].mean))
            return true;
    return false;
}

static curve average_series(const series *all, size_t runs) {
    curve c = {.runs = runs};
    size_t values = 0;
    for (size_t r = 0; r < runs; r++)
        values += all[r].count;
    double *grid = allocate(values, sizeof *grid);
    c.count = common_grid(all, runs, grid);
    c.points = allocate(c.count, sizeof *c.points);
    for (size_t i = 0; i < c.count; i++)
        c.points[i] = average_at(all, runs, grid[i]);
    if (!has_finite_point(&c))
        c.count = 0;
    free(grid);
    return c;
}

curve average_runs(const comparison_results *results, size_t arm, curve_value what) {
    size_t seeds = results->about.seed_count, runs = 0;
    series *all = allocate(seeds, sizeof *all);
    for (size_t s = 0; s < seeds; s++) {
        all[runs] = collect(&run_of(results, arm, s)->log, what);
        if (all[runs].count > 0) {
            runs++;
        } else {
            free(all[runs].x);
            free(all[runs].y);
        }
    }
    curve c = average_series(all, runs);
    for (size_t r = 0; r < runs; r++) {
        free(all[r].x);
        free(all[r].y);
    }
    free(all);
    return c;
}

void free_curve(curve *c) {
    free(c->points);
    *c = (curve){0};
}
