/* statistics and student_t: against values from tables and worked by hand. */
#include "statistics.h"

#include <math.h>

#include "expect_fail.h"
#include "student_t.h"

static void assert_near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.10g, but expected %.10g", value, expected);
}

/* The two-sided 95 % column of the tables of Student's t. */
static void quantiles_are_those_of_the_tables(void **state) {
    (void)state;
    static const double table[][2] = {{1, 12.7062}, {2, 4.30265},  {4, 2.77645},
                                      {9, 2.26216}, {30, 2.04227}, {120, 1.97993}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_near(student_t_quantile(.975, table[i][0]), table[i][1], 5e-5);
}

/* With one degree of freedom t is Cauchy's distribution, with two it has a closed form. */
static void quantiles_agree_with_closed_forms(void **state) {
    (void)state;
    for (double p = .05; p < 1; p += .1) {
        assert_near(student_t_quantile(p, 1), tan(acos(-1) * (p - .5)), 1e-12);
        assert_near(student_t_quantile(p, 2), (2 * p - 1) / sqrt(2 * p * (1 - p)), 1e-12);
    }
}

static void a_quantile_out_of_range_is_nan(void **state) {
    (void)state;
    assert_true(isnan(student_t_quantile(.975, 0)));
    assert_true(isnan(student_t_quantile(.975, -1)));
    assert_true(isnan(student_t_quantile(.975, NAN)));
    assert_true(isnan(student_t_quantile(0, 3)));
    assert_true(isnan(student_t_quantile(1, 3)));
    assert_true(isnan(student_t_quantile(2, 3)));
}

static void the_deviation_divides_by_n_minus_1(void **state) {
    (void)state;
    sample_summary s = summarise((double[]){2, 4, 4, 4, 5, 5, 7, 9}, 8);
    assert_int_equal(s.count, 8);
    assert_near(s.mean, 5, 0);
    assert_near(s.deviation, sqrt(32. / 7), 1e-15);
}

static void few_values_have_no_deviation(void **state) {
    (void)state;
    sample_summary one = summarise((double[]){3}, 1), none = summarise(NULL, 0);
    assert_near(one.mean, 3, 0);
    assert_true(isnan(one.deviation));
    assert_int_equal(none.count, 0);
    assert_true(isnan(none.mean) && isnan(none.deviation));
}

static void the_median_is_in_the_middle(void **state) {
    (void)state;
    const double values[] = {9, 1, 5, 100};
    assert_near(median(values, 3), 5, 0);
    assert_near(median(values, 4), 7, 0);
    assert_near(median(values, 1), 9, 0);
    assert_true(isnan(median(values, 0)));
    assert_near(values[0], 9, 0);
}

/* Differences 1.0, 1.2, 1.4: deviation 0.2, half of the interval 4.30265 * 0.2 / sqrt(3). */
static void an_interval_is_students(void **state) {
    (void)state;
    paired_difference d = compare_pairs((double[]){81, 83.2, 85.4}, (double[]){80, 82, 84}, 3);
    assert_int_equal(d.pairs, 3);
    assert_near(d.mean, 1.2, 1e-12);
    assert_near(d.low, 1.2 - .496827, 1e-6);
    assert_near(d.high, 1.2 + .496827, 1e-6);
}

/* The spread of the values themselves does not matter, only that of the differences. */
static void equal_differences_have_an_interval_of_no_width(void **state) {
    (void)state;
    paired_difference d = compare_pairs((double[]){11, 51}, (double[]){10, 50}, 2);
    assert_near(d.low, 1, 0);
    assert_near(d.high, 1, 0);
}

static void one_pair_has_no_interval(void **state) {
    (void)state;
    paired_difference d = compare_pairs((double[]){3}, (double[]){5}, 1);
    assert_near(d.mean, -2, 0);
    assert_true(isnan(d.low) && isnan(d.high));
    d = compare_pairs(NULL, NULL, 0);
    assert_int_equal(d.pairs, 0);
    assert_true(isnan(d.mean));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(quantiles_agree_with_closed_forms),
        cmocka_unit_test(a_quantile_out_of_range_is_nan),
        cmocka_unit_test(the_deviation_divides_by_n_minus_1),
        cmocka_unit_test(few_values_have_no_deviation),
        cmocka_unit_test(the_median_is_in_the_middle),
        cmocka_unit_test(an_interval_is_students),
        cmocka_unit_test(equal_differences_have_an_interval_of_no_width),
        cmocka_unit_test(one_pair_has_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
