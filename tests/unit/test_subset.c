/* subset: as many as asked for, balanced, seeded, in the source's order. And the labels' names. */
#include "subset.h"

#include <stdbool.h>

#include "expect_fail.h"

enum { CLASSES = 3 };

/* Labels 0 .. CLASSES-1 with these counts, mixed. */
static data_set some_images(const size_t counts[CLASSES]) {
    size_t left[CLASSES], count = 0, next = 0;
    for (size_t k = 0; k < CLASSES; k++)
        count += left[k] = counts[k];
    data_set set = {.sets = {new_image_set(count), new_image_set(0)}};
    set.sets[TRAIN].files = calloc(count, sizeof(char *));
    while (next < count)
        for (size_t k = 0; k < CLASSES; k++)
            if (left[k]) {
                left[k]--;
                set.sets[TRAIN].files[next] = malloc(24);
                snprintf(set.sets[TRAIN].files[next], 24, "%zu", next + 1);
                set.sets[TRAIN].labels[next++] = (int)k;
            }
    return set;
}

/* Keeps `wanted` and checks all but the balance; how many of each class stay goes to `kept`. */
static data_set keep(const size_t counts[CLASSES], size_t wanted, uint64_t seed,
                     size_t kept[CLASSES]) {
    data_set all = some_images(counts), set = some_images(counts);
    image_set *half = &set.sets[TRAIN];
    keep_subset(half, CLASSES, wanted, seed);
    assert_int_equal(half->count, wanted);
    memset(kept, 0, CLASSES * sizeof *kept);
    for (size_t i = 0; i < wanted; i++) {
        size_t number = half->numbers[i];
        assert_true(i == 0 || number > half->numbers[i - 1]);
        assert_int_equal(half->labels[i], all.sets[TRAIN].labels[number - 1]);
        assert_string_equal(half->files[i], all.sets[TRAIN].files[number - 1]);
        kept[half->labels[i]]++;
    }
    free_data_set(&all);
    return set;
}

static void is_balanced(void **state) {
    (void)state;
    static const size_t counts[CLASSES] = {40, 40, 40};
    size_t kept[CLASSES];
    for (size_t wanted = 1; wanted <= 120; wanted++) {
        data_set set = keep(counts, wanted, wanted % 5, kept);
        for (size_t k = 0; k < CLASSES; k++)
            assert_in_range(kept[k], wanted / CLASSES, (wanted + CLASSES - 1) / CLASSES);
        free_data_set(&set);
    }
}

static void takes_all_of_a_small_class(void **state) {
    (void)state;
    static const size_t counts[CLASSES] = {2, 30, 10};
    size_t kept[CLASSES];
    data_set set = keep(counts, 18, 1, kept);
    assert_int_equal(kept[0], 2);
    assert_int_equal(kept[1], 8);
    assert_int_equal(kept[2], 8);
    free_data_set(&set);
    set = keep(counts, 30, 1, kept);
    assert_int_equal(kept[1], 18);
    assert_int_equal(kept[2], 10);
    free_data_set(&set);
}

static bool same_images(const data_set *a, const data_set *b) {
    return a->sets[TRAIN].count == b->sets[TRAIN].count &&
           !memcmp(a->sets[TRAIN].numbers, b->sets[TRAIN].numbers,
                   a->sets[TRAIN].count * sizeof(size_t));
}

static void depends_on_the_seed_alone(void **state) {
    (void)state;
    static const size_t counts[CLASSES] = {40, 40, 40};
    size_t kept[CLASSES];
    data_set one = keep(counts, 30, 1, kept), again = keep(counts, 30, 1, kept);
    data_set other = keep(counts, 30, 2, kept);
    assert_true(same_images(&one, &again));
    assert_false(same_images(&one, &other));
    free_data_set(&one);
    free_data_set(&again);
    free_data_set(&other);
}

static void smaller_ones_are_part_of_larger_ones(void **state) {
    (void)state;
    static const size_t counts[CLASSES] = {10, 25, 40};
    size_t kept[CLASSES];
    bool in_larger[76] = {false};
    data_set large = keep(counts, 41, 9, kept), small = keep(counts, 16, 9, kept);
    for (size_t i = 0; i < 41; i++)
        in_larger[large.sets[TRAIN].numbers[i]] = true;
    for (size_t i = 0; i < 16; i++)
        assert_true(in_larger[small.sets[TRAIN].numbers[i]]);
    free_data_set(&large);
    free_data_set(&small);
}

/* Other machines must draw the same. */
static void draws_what_it_drew_before(void **state) {
    (void)state;
    static const size_t counts[CLASSES] = {4, 4, 4}, expected[] = {2, 4, 6, 10, 11};
    size_t kept[CLASSES];
    data_set set = keep(counts, 5, 1, kept);
    assert_memory_equal(set.sets[TRAIN].numbers, expected, sizeof expected);
    free_data_set(&set);
}

static void check_label(size_t k, size_t classes, const char *name, const char *expected) {
    char *label = numbered_label(k, classes, name);
    assert_string_equal(label, expected);
    free(label);
}

static void labels_are_numbered_and_plain(void **state) {
    (void)state;
    check_label(7, 10, "horse", "c7_horse");
    check_label(7, 11, "horse", "c07_horse");
    check_label(99, 100, "name_99", "c99_name-99");
    check_label(7, 101, "Sea_star", "c007_sea-star");
    check_label(0, 2, " potter's wheel! ", "c0_potter-s-wheel");
    check_label(1, 2, "c0_horse", "c1_c0-horse");
    check_label(1, 2, "../x", "c1_x");
    check_label(1, 2, "\xc3\xa9", "c1_class");
    check_label(1, 2, "0123456789012345678901234567890123456789012345678901234567890123456789",
                "c1_012345678901234567890123456789012345678901234567890123456789");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_balanced),
        cmocka_unit_test(takes_all_of_a_small_class),
        cmocka_unit_test(depends_on_the_seed_alone),
        cmocka_unit_test(smaller_ones_are_part_of_larger_ones),
        cmocka_unit_test(draws_what_it_drew_before),
        cmocka_unit_test(labels_are_numbered_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
