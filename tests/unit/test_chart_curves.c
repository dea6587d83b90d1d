/* chart_curves: means and bands over runs, whether or not they validate at the same images. */
#include "chart_curves.h"

#include <math.h>

#include "expect_fail.h"

/* Two seeds of one arm, whose values the tests fill in. */
static validation first[3], second[3];
static comparison_run runs[2];
static const comparison_results results = {
    .about = {.seed_count = 2, .arm_count = 1}, .runs = runs, .finished = 2};

static void put_run(int seed, validation *values, const double *images, const double *top1,
                    size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (validation){.images = images[i], .top1 = top1[i], .train_ce = 1 + (double)i};
    runs[seed] = (comparison_run){{.state = RUN_FINISHED}, {.count = count, .validations = values}};
}

static void check_point(const curve *c, size_t i, double images, double mean, double low,
                        double high) {
    const curve_point *p = &c->points[i];
    if (p->images != images || fabs(p->mean - mean) > 1e-12 || fabs(p->low - low) > 1e-12 ||
        fabs(p->high - high) > 1e-12)
        fail_msg("point %zu is %g: %g (%g to %g)", i, p->images, p->mean, p->low, p->high);
}

static void runs_at_the_same_images_are_averaged(void **state) {
    (void)state;
    put_run(0, first, (double[]){10, 20}, (double[]){.5, .75}, 2);
    put_run(1, second, (double[]){10, 20}, (double[]){.25, .75}, 2);
    curve c = average_runs(&results, 0, VALID_ERROR);
    assert_int_equal(c.runs, 2);
    assert_int_equal(c.count, 2);
    check_point(&c, 0, 10, 62.5, 50, 75);
    check_point(&c, 1, 20, 25, 25, 25);
    free_curve(&c);
}

/* The second run ends early; at 20 it counts with the middle of 10 and 30. */
static void other_images_are_interpolated_as_far_as_all_reach(void **state) {
    (void)state;
    put_run(0, first, (double[]){5, 20, 40}, (double[]){1, .5, 0}, 3);
    put_run(1, second, (double[]){10, 30}, (double[]){.5, 1}, 2);
    curve c = average_runs(&results, 0, VALID_ERROR);
    assert_int_equal(c.count, 3);
    check_point(&c, 0, 10, (50. / 3 + 50) / 2, 50. / 3, 50);
    check_point(&c, 1, 20, 37.5, 25, 50);
    check_point(&c, 2, 30, 37.5, 0, 75);
    free_curve(&c);
}

static void a_run_that_is_not_there_does_not_count(void **state) {
    (void)state;
    put_run(0, first, (double[]){10, 20}, (double[]){.5, .75}, 2);
    runs[1] = (comparison_run){0};
    curve c = average_runs(&results, 0, TRAIN_CE);
    assert_int_equal(c.runs, 1);
    assert_int_equal(c.count, 2);
    check_point(&c, 1, 20, 2, 2, 2);
    free_curve(&c);
}

static void an_arm_without_values_has_no_points(void **state) {
    (void)state;
    put_run(0, first, (double[]){10, 20}, (double[]){.5, .75}, 2);
    put_run(1, second, (double[]){10, 20}, (double[]){.5, .75}, 2);
    curve c = average_runs(&results, 0, TRAIN_LB);
    assert_int_equal(c.runs, 0);
    assert_int_equal(c.count, 0);
    free_curve(&c);
    second[1].has_lb = true;
    second[1].train_lb = .5;
    c = average_runs(&results, 0, TRAIN_LB);
    assert_int_equal(c.count, 1);
    check_point(&c, 0, 20, .5, .5, .5);
    free_curve(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_at_the_same_images_are_averaged),
        cmocka_unit_test(other_images_are_interpolated_as_far_as_all_reach),
        cmocka_unit_test(a_run_that_is_not_there_does_not_count),
        cmocka_unit_test(an_arm_without_values_has_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
