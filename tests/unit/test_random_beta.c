/* random_beta against the distribution: its function where that has a closed form, mean and
 * variance for any shape. Bounds are those that one correct generator in a thousand would miss, or
 * five standard errors; the seeds are fixed. */
#include "random_beta.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DRAWS = 20000 };
static double draws[DRAWS];

static void draw_all(double shape) {
    random_stream stream = random_stream_of(11, 0, 0);
    for (int i = 0; i < DRAWS; i++)
        draws[i] = random_beta(&stream, shape);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: sqrt(n) times the largest distance is below 1.95 but once in a thousand.
 */
static void check_distribution(double shape, double (*cdf)(double)) {
    double distance = 0;
    draw_all(shape);
    qsort(draws, DRAWS, sizeof *draws, compare);
    for (int i = 0; i < DRAWS; i++) {
        double expected = cdf(draws[i]);
        distance = fmax(distance, fmax(expected - (double)i / DRAWS, (i + 1.) / DRAWS - expected));
    }
    if (!(distance * sqrt(DRAWS) < 1.95))
        fail_msg("shape %g is %g away from Beta", shape, distance);
}

static double uniform(double x) {
    return x;
}
static double arcsine(double x) {
    return 2 / M_PI * asin(sqrt(x));
}
static double parabola(double x) {
    return x * x * (3 - 2 * x);
}

static void shape_1_is_uniform(void **state) {
    (void)state;
    check_distribution(1, uniform);
}

static void shape_one_half_is_the_arcsine_law(void **state) {
    (void)state;
    check_distribution(.5, arcsine);
}

static void shape_2_has_a_parabola_for_density(void **state) {
    (void)state;
    check_distribution(2, parabola);
}

/* Beta(a, a): mean 1/2, variance 1/(4 (2a + 1)); the excess kurtosis -6/(2a + 3) gives the
 * variance's standard error. */
static void mean_and_variance_are_betas(void **state) {
    (void)state;
    static const double shapes[] = {.01, .2, .4, .999, 1.001, 1.5, 8, 1000};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        double a = shapes[k], sum = 0, squares = 0, variance = 1 / (4 * (2 * a + 1));
        draw_all(a);
        for (int i = 0; i < DRAWS; i++) {
            sum += draws[i];
            squares += (draws[i] - .5) * (draws[i] - .5);
        }
        double error = sqrt((2 - 6 / (2 * a + 3)) / DRAWS) * variance;
        if (!(fabs(sum / DRAWS - .5) < 5 * sqrt(variance / DRAWS)) ||
            !(fabs(squares / DRAWS - variance) < 5 * error))
            fail_msg("shape %g: mean %g, variance %g, expected .5 and %g", a, sum / DRAWS,
                     squares / DRAWS, variance);
    }
}

static void any_shape_stays_between_0_and_1(void **state) {
    (void)state;
    static const double shapes[] = {1e-30, 1e-3, 1, 1e3};
    for (int k = 0; k < 4; k++) {
        draw_all(shapes[k]);
        for (int i = 0; i < DRAWS; i++)
            if (!(draws[i] >= 0 && draws[i] <= 1))
                fail_msg("shape %g gave %g", shapes[k], draws[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_1_is_uniform),
        cmocka_unit_test(shape_one_half_is_the_arcsine_law),
        cmocka_unit_test(shape_2_has_a_parabola_for_density),
        cmocka_unit_test(mean_and_variance_are_betas),
        cmocka_unit_test(any_shape_stays_between_0_and_1),
    };
    return cmocka_run_group_tests_name("random_beta", tests, NULL, NULL);
}
