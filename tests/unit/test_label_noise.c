/* label_noise: exactly as many labels change as were asked for, never to themselves, evenly. */
#include "label_noise.h"

#include <math.h>

#include "expect_fail.h"

enum { CLASSES = 10, COUNT = 5000 };

static int *some_labels(void) {
    int *labels = malloc(COUNT * sizeof *labels);
    assert_non_null(labels);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    return labels;
}

static size_t count_changed(const int *labels, const int *noisy, size_t count) {
    size_t changed = 0;
    for (size_t i = 0; i < count; i++)
        changed += labels[i] != noisy[i];
    return changed;
}

static void changes_exactly_the_share(void **state) {
    (void)state;
    static const double shares[] = {0, 0.0001, 0.2, 0.33333, 0.4, 0.5, 0.8, 0.9999};
    static const size_t expected[] = {0, 1, 1000, 1667, 2000, 2500, 4000, 5000};
    int *labels = some_labels();
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        int *noisy = add_label_noise(labels, COUNT, CLASSES, shares[s], 3);
        assert_int_equal(count_changed(labels, noisy, COUNT), expected[s]);
        for (int i = 0; i < COUNT; i++)
            assert_in_range(noisy[i], 0, CLASSES - 1);
        free(noisy);
    }
    free(labels);
}

static void two_classes_swap(void **state) {
    (void)state;
    static const int labels[] = {0, 1, 1, 0};
    int *noisy = add_label_noise(labels, 4, 2, 0.5, 1);
    assert_int_equal(count_changed(labels, noisy, 4), 2);
    for (int i = 0; i < 4; i++)
        assert_in_range(noisy[i], 0, 1);
    free(noisy);
}

/* All 5,000 images are of class 0 and 4,000 change: each other class gets a ninth of them, within
 * six standard deviations of the binomial. */
static void other_classes_are_equally_likely(void **state) {
    (void)state;
    size_t counts[CLASSES] = {0};
    int *labels = calloc(COUNT, sizeof *labels);
    int *noisy = add_label_noise(labels, COUNT, CLASSES, 0.8, 1);
    double n = 4000, p = 1.0 / (CLASSES - 1);
    for (int i = 0; i < COUNT; i++)
        counts[noisy[i]]++;
    assert_int_equal(counts[0], 1000);
    for (int k = 1; k < CLASSES; k++)
        assert_true(fabs((double)counts[k] - n * p) < 6 * sqrt(n * p * (1 - p)));
    free(noisy);
    free(labels);
}

static void depends_on_the_seed_alone(void **state) {
    (void)state;
    int *labels = some_labels();
    int *one = add_label_noise(labels, COUNT, CLASSES, 0.3, 1);
    int *again = add_label_noise(labels, COUNT, CLASSES, 0.3, 1);
    int *other = add_label_noise(labels, COUNT, CLASSES, 0.3, 2);
    assert_memory_equal(one, again, COUNT * sizeof *one);
    assert_memory_not_equal(one, other, COUNT * sizeof *one);
    free(one);
    free(again);
    free(other);
    free(labels);
}

static void more_noise_keeps_the_less(void **state) {
    (void)state;
    int *labels = some_labels();
    int *less = add_label_noise(labels, COUNT, CLASSES, 0.2, 5);
    int *more = add_label_noise(labels, COUNT, CLASSES, 0.6, 5);
    for (int i = 0; i < COUNT; i++)
        if (less[i] != labels[i])
            assert_int_equal(more[i], less[i]);
    free(less);
    free(more);
    free(labels);
}

/* Other machines must draw the same. */
static void draws_what_it_drew_before(void **state) {
    (void)state;
    static const int labels[12] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    static const int expected[12] = {1, 1, 2, 3, 3, 3, 2, 3, 0, 3, 0, 0};
    int *noisy = add_label_noise(labels, 12, 4, 0.5, 1);
    assert_memory_equal(noisy, expected, sizeof expected);
    free(noisy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_exactly_the_share),
        cmocka_unit_test(two_classes_swap),
        cmocka_unit_test(other_classes_are_equally_likely),
        cmocka_unit_test(depends_on_the_seed_alone),
        cmocka_unit_test(more_noise_keeps_the_less),
        cmocka_unit_test(draws_what_it_drew_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
