/* The row arithmetic: exact cases, finite differences, extremes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <stdlib.h>

#include "dlb_loss.h"

enum { CLASSES = 7 };

static void fill(float *row, int classes, float scale) {
    for (int k = 0; k < classes; k++)
        row[k] = scale * ((float)rand() / (float)RAND_MAX - .5f);
}

static double loss_of(const float *student, const float *teacher, double temperature) {
    float delta[CLASSES] = {0};
    return dlb_row(student, teacher, CLASSES, temperature, 1, delta);
}

static void equal_rows_have_no_loss_and_no_gradient(void **state) {
    (void)state;
    float row[CLASSES], delta[CLASSES] = {0};
    fill(row, CLASSES, 10);
    assert_true(dlb_row(row, row, CLASSES, 3, 1, delta) == 0);
    for (int k = 0; k < CLASSES; k++)
        assert_true(delta[k] == 0);
}

/* softmax of (0, log 3) is (1/4, 3/4); of (0, 0) (1/2, 1/2). */
static void two_classes_by_hand(void **state) {
    (void)state;
    float teacher[] = {0, 1.0986123f}, student[] = {0, 0}, delta[] = {0, 0};
    double loss = dlb_row(student, teacher, 2, 1, 1, delta);
    assert_true(fabs(loss - (.25 * log(.5) + .75 * log(1.5))) < 1e-7);
    assert_true(fabs(delta[0] + .25) < 1e-7);
    assert_true(fabs(delta[1] - .25) < 1e-7);
}

static void delta_is_added_to_what_is_there(void **state) {
    (void)state;
    float teacher[] = {0, 1}, student[] = {1, 0}, fresh[] = {0, 0}, used[] = {5, -7};
    dlb_row(student, teacher, 2, 2, .5, fresh);
    dlb_row(student, teacher, 2, 2, .5, used);
    assert_true(fabs(used[0] - 5 - fresh[0]) < 1e-6);
    assert_true(fabs(used[1] + 7 - fresh[1]) < 1e-6);
}

static void gradient_agrees_with_finite_differences(void **state) {
    (void)state;
    const double temperatures[] = {.5, 1, 3, 20};
    const float step = 0x1p-7f; /* so that logit +- step is exact enough in float */
    for (int t = 0; t < 4; t++)
        for (int repeat = 0; repeat < 20; repeat++) {
            float student[CLASSES], teacher[CLASSES], delta[CLASSES] = {0};
            fill(student, CLASSES, 4);
            fill(teacher, CLASSES, 4);
            dlb_row(student, teacher, CLASSES, temperatures[t], 1, delta);
            for (int k = 0; k < CLASSES; k++) {
                float kept = student[k], up = kept + step, down = kept - step;
                student[k] = up;
                double above = loss_of(student, teacher, temperatures[t]);
                student[k] = down;
                double below = loss_of(student, teacher, temperatures[t]);
                student[k] = kept;
                double slope = (above - below) / ((double)up - down);
                if (!(fabs(slope + delta[k]) <= 2e-4 + 2e-4 * fabs(slope)))
                    fail_msg("temperature %g: slope %g, delta %g", temperatures[t], slope,
                             (double)delta[k]);
            }
        }
}

static void gradient_sums_to_zero(void **state) {
    (void)state;
    float student[CLASSES], teacher[CLASSES], delta[CLASSES] = {0};
    fill(student, CLASSES, 8);
    fill(teacher, CLASSES, 8);
    dlb_row(student, teacher, CLASSES, 3, 1, delta);
    double sum = 0;
    for (int k = 0; k < CLASSES; k++)
        sum += delta[k];
    assert_true(fabs(sum) < 1e-6);
}

static void adding_a_constant_to_the_logits_changes_nothing(void **state) {
    (void)state;
    float student[] = {1, 2, 4}, teacher[] = {3, -1, 0}, moved[] = {1025, 1026, 1028};
    float delta[] = {0, 0, 0};
    double loss = dlb_row(student, teacher, 3, 3, 1, delta);
    assert_true(loss == dlb_row(moved, teacher, 3, 3, 1, delta));
}

static void any_finite_logits_are_safe(void **state) {
    (void)state;
    const float extremes[] = {FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 0, 1e30f, -1e30f, 88, -104};
    const double temperatures[] = {FLT_MIN, 1e-6, 3, 1e6, FLT_MAX};
    enum { VALUES = sizeof extremes / sizeof *extremes };
    for (int i = 0; i < VALUES * VALUES * VALUES * VALUES * 5; i++) {
        int n = i / 5;
        float student[] = {extremes[n % VALUES], extremes[n / VALUES % VALUES]};
        float teacher[] = {extremes[n / (VALUES * VALUES) % VALUES],
                           extremes[n / (VALUES * VALUES * VALUES)]};
        float delta[] = {0, 0}, truth[] = {1, 0};
        double temperature = temperatures[i % 5];
        double loss = dlb_row(student, teacher, 2, temperature, 1 / temperature, delta);
        /* Never negative beyond the rounding of a divergence, which T^2 scales. */
        assert_true(isfinite(loss) && loss >= -1e-15 * temperature * temperature);
        assert_true(isfinite(delta[0]) && isfinite(delta[1]));
        assert_true(isfinite(dlb_cross_entropy(student, truth, 2, temperature)));
    }
}

static void cross_entropy_of_soft_labels(void **state) {
    (void)state;
    float logits[] = {0, 0, 0, 0}, truth[] = {.25f, .75f, 0, 0};
    assert_true(fabs(dlb_cross_entropy(logits, truth, 4, 1) - log(4)) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rows_have_no_loss_and_no_gradient),
        cmocka_unit_test(two_classes_by_hand),
        cmocka_unit_test(delta_is_added_to_what_is_there),
        cmocka_unit_test(gradient_agrees_with_finite_differences),
        cmocka_unit_test(gradient_sums_to_zero),
        cmocka_unit_test(adding_a_constant_to_the_logits_changes_nothing),
        cmocka_unit_test(any_finite_logits_are_safe),
        cmocka_unit_test(cross_entropy_of_soft_labels),
    };
    return cmocka_run_group_tests_name("dlb_loss", tests, NULL, NULL);
}
