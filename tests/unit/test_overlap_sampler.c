/* overlap_sampler: epochs in which every image is new once, the overlap from one iteration to the
 * next, seeds, and the shuffle's fairness. */
#include "overlap_sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_ROWS = 64 };

typedef struct {
    int images, slots, rows;
    bool overlap;
} shape;

/* Plain and odd ones: images = half a batch, fewer, one more; not divisible; a single image. */
static const shape shapes[] = {
    {100, 1, 8, true}, {100, 4, 8, true}, {97, 3, 10, true}, {8, 2, 8, true},    {7, 2, 8, true},
    {9, 2, 8, true},   {3, 1, 32, true},  {1, 1, 2, true},   {100, 1, 8, false}, {97, 3, 10, false},
    {50, 2, 7, false}, {8, 2, 8, false},  {5, 4, 16, false}, {1, 1, 1, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static overlap_sampler *create(shape s, uint64_t seed) {
    return overlap_sampler_create(s.images, s.slots, s.rows, s.overlap, seed);
}

/* For each shape, `check` sees `iterations` iterations; `before` is the one before, or NULL. */
typedef void (*iteration_check)(shape s, const sample *before, const sample *now);

static void for_each_iteration(iteration_check check, int iterations) {
    for (int i = 0; i < SHAPES; i++) {
        sample samples[2][MOST_ROWS];
        overlap_sampler *sampler = create(shapes[i], 11);
        for (int n = 0; n < iterations; n++) {
            overlap_sampler_next(sampler, samples[n % 2]);
            check(shapes[i], n ? samples[1 - n % 2] : NULL, samples[n % 2]);
        }
        overlap_sampler_free(sampler);
    }
}

/* images[id] = the image of the draw `id`, for the first `draws` draws. */
static int *collect_draws(shape s, uint64_t seed, int draws) {
    int *images = malloc((size_t)draws * sizeof *images);
    assert_non_null(images);
    memset(images, 0xff, (size_t)draws * sizeof *images);
    overlap_sampler *sampler = create(s, seed);
    for (int found = 0; found < draws;) {
        sample samples[MOST_ROWS];
        overlap_sampler_next(sampler, samples);
        for (int i = 0; i < s.slots * s.rows; i++)
            if (samples[i].visit == 0 && samples[i].id < draws) {
                assert_int_equal(images[samples[i].id], -1);
                images[samples[i].id] = samples[i].image;
                found++;
            }
    }
    overlap_sampler_free(sampler);
    return images;
}

/* ---- epochs ---- */

static void check_epoch(const int *epoch, int images) {
    bool *seen = calloc((size_t)images, sizeof *seen);
    assert_non_null(seen);
    for (int i = 0; i < images; i++) {
        assert_in_range(epoch[i], 0, images - 1);
        assert_false(seen[epoch[i]]);
        seen[epoch[i]] = true;
    }
    free(seen);
}

static void each_image_is_new_exactly_once_an_epoch(void **state) {
    (void)state;
    enum { EPOCHS = 6 };
    for (int i = 0; i < SHAPES; i++) {
        int images = shapes[i].images;
        int *draws = collect_draws(shapes[i], 5, EPOCHS * images);
        for (int epoch = 0; epoch < EPOCHS; epoch++)
            check_epoch(draws + epoch * images, images);
        free(draws);
    }
}

/* 10 images, 4 an iteration: the third iteration ends an epoch and begins the next. */
static void the_stream_runs_on_over_an_epochs_end(void **state) {
    (void)state;
    int images[20];
    overlap_sampler *sampler = overlap_sampler_create(10, 1, 4, false, 3);
    for (int n = 0; n < 5; n++) {
        sample samples[4];
        overlap_sampler_next(sampler, samples);
        for (int row = 0; row < 4; row++)
            images[4 * n + row] = samples[row].image;
    }
    overlap_sampler_free(sampler);
    check_epoch(images, 10);
    check_epoch(images + 10, 10);
}

static void the_ordered_sampler_keeps_the_lists_order(void **state) {
    (void)state;
    overlap_sampler *sampler = ordered_sampler_create(5, 2, 3);
    for (int n = 0, draw = 0; n < 4; n++) {
        sample samples[6];
        overlap_sampler_next(sampler, samples);
        for (int row = 0; row < 6; row++, draw++) {
            assert_int_equal(samples[row].image, draw % 5);
            assert_int_equal(samples[row].id, draw);
            assert_int_equal(samples[row].visit, 0);
        }
    }
    overlap_sampler_free(sampler);
}

static void successive_epochs_are_shuffled_differently(void **state) {
    (void)state;
    enum { IMAGES = 50, EPOCHS = 20 };
    int *draws = collect_draws((shape){IMAGES, 1, 10, true}, 1, EPOCHS * IMAGES);
    for (int a = 0; a < EPOCHS; a++)
        for (int b = 0; b < a; b++)
            assert_memory_not_equal(draws + a * IMAGES, draws + b * IMAGES, IMAGES * sizeof *draws);
    free(draws);
}

static void every_image_is_equally_likely_at_every_place(void **state) {
    (void)state;
    enum { IMAGES = 8, EPOCHS = 8000, EXPECTED = EPOCHS / IMAGES };
    int counts[IMAGES][IMAGES] = {{0}};
    int *draws = collect_draws((shape){IMAGES, 1, 8, true}, 123, EPOCHS * IMAGES);
    for (int i = 0; i < EPOCHS * IMAGES; i++)
        counts[i % IMAGES][draws[i]]++;
    free(draws);
    double chi_square = 0;
    for (int place = 0; place < IMAGES; place++)
        for (int k = 0; k < IMAGES; k++) {
            double off = counts[place][k] - EXPECTED;
            chi_square += off * off / EXPECTED;
        }
    assert_true(chi_square < 100); /* 49 degrees of freedom; 94 comes up once in 10 000 times */
}

/* With 4 images there are 24 orders; the last one of an epoch must not hang on the first. */
static void every_order_is_equally_likely(void **state) {
    (void)state;
    enum { IMAGES = 4, EPOCHS = 24000, EXPECTED = EPOCHS / 24 };
    int counts[256] = {0}, orders = 0;
    int *draws = collect_draws((shape){IMAGES, 1, 8, true}, 321, EPOCHS * IMAGES);
    for (int e = 0; e < EPOCHS; e++) {
        const int *order = draws + e * IMAGES;
        counts[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6]++;
    }
    free(draws);
    double chi_square = 0;
    for (int i = 0; i < 256; i++)
        if (counts[i]) {
            double off = counts[i] - EXPECTED;
            chi_square += off * off / EXPECTED;
            orders++;
        }
    assert_int_equal(orders, 24);
    assert_true(chi_square < 60); /* 23 degrees of freedom; 56 comes up once in 10 000 times */
}

/* ---- overlap ---- */

static void check_overlap(shape s, const sample *before, const sample *now) {
    int half = s.rows / 2;
    for (int i = 0; before && s.overlap && i < s.slots * s.rows; i++)
        if (i % s.rows < half) {
            assert_int_equal(now[i].visit, 1);
            assert_int_equal(now[i].id, before[i + half].id);
            assert_int_equal(now[i].image, before[i + half].image);
        }
}

static void the_second_half_is_revisited_in_order_at_the_same_slot(void **state) {
    (void)state;
    for_each_iteration(check_overlap, 40);
}

static void check_new_rows(shape s, const sample *before, const sample *now) {
    for (int i = 0; i < s.slots * s.rows; i++)
        if (!before || !s.overlap || i % s.rows >= s.rows / 2)
            assert_int_equal(now[i].visit, 0);
}

static void the_rest_and_the_first_iteration_are_new(void **state) {
    (void)state;
    for_each_iteration(check_new_rows, 40);
}

static void check_ids(shape s, const sample *before, const sample *now) {
    static int64_t last;
    if (!before)
        last = -1;
    int64_t largest = last;
    for (int i = 0; i < s.slots * s.rows; i++) {
        if (now[i].visit == 0)
            assert_true(now[i].id > last);
        if (now[i].id > largest)
            largest = now[i].id;
        for (int k = 0; k < i; k++)
            assert_true(now[i].id != now[k].id);
    }
    last = largest;
}

static void each_draw_has_an_id_of_its_own(void **state) {
    (void)state;
    for_each_iteration(check_ids, 40);
}

/* Every draw but the first iteration's first halves is seen twice, and never a third time. */
static void each_new_row_of_a_second_half_is_seen_twice(void **state) {
    (void)state;
    enum { SLOTS = 2, ROWS = 8, ITERATIONS = 25, DRAWS = SLOTS * ROWS / 2 * (ITERATIONS + 1) };
    int visits[DRAWS] = {0}, twice = 0;
    overlap_sampler *sampler = overlap_sampler_create(30, SLOTS, ROWS, true, 1);
    for (int n = 0; n < ITERATIONS; n++) {
        sample samples[SLOTS * ROWS];
        overlap_sampler_next(sampler, samples);
        for (int i = 0; i < SLOTS * ROWS; i++)
            visits[samples[i].id]++;
    }
    overlap_sampler_free(sampler);
    for (int id = 0; id < DRAWS; id++) {
        assert_in_range(visits[id], 1, 2);
        twice += visits[id] == 2;
    }
    assert_int_equal(twice, SLOTS * ROWS / 2 * (ITERATIONS - 1));
}

static void a_baseline_revisits_nothing(void **state) {
    (void)state;
    overlap_sampler *sampler = overlap_sampler_create(12, 2, 3, false, 1);
    for (int n = 0; n < 10; n++) {
        sample samples[6];
        overlap_sampler_next(sampler, samples);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(samples[i].visit, 0);
            assert_int_equal(samples[i].id, 6 * n + i);
        }
    }
    overlap_sampler_free(sampler);
}

/* ---- seeds ---- */

static void the_seed_alone_decides(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        overlap_sampler *a = create(shapes[i], 77), *b = create(shapes[i], 77);
        for (int n = 0; n < 30; n++) {
            sample first[MOST_ROWS], second[MOST_ROWS];
            overlap_sampler_next(a, first);
            overlap_sampler_next(b, second);
            for (int row = 0; row < shapes[i].slots * shapes[i].rows; row++) {
                assert_int_equal(first[row].id, second[row].id);
                assert_int_equal(first[row].image, second[row].image);
                assert_int_equal(first[row].visit, second[row].visit);
            }
        }
        overlap_sampler_free(a);
        overlap_sampler_free(b);
    }
}

static void different_seeds_differ(void **state) {
    (void)state;
    enum { IMAGES = 50, SEEDS = 20 };
    int *orders[SEEDS];
    for (int a = 0; a < SEEDS; a++) {
        orders[a] = collect_draws((shape){IMAGES, 1, 10, true}, (uint64_t)a, IMAGES);
        for (int b = 0; b < a; b++)
            assert_memory_not_equal(orders[a], orders[b], IMAGES * sizeof **orders);
    }
    for (int a = 0; a < SEEDS; a++)
        free(orders[a]);
}

/* The stream of new images is one, however it is cut into rows and slots. */
static void the_order_of_new_images_does_not_depend_on_the_overlap(void **state) {
    (void)state;
    enum { DRAWS = 300 };
    int *baseline = collect_draws((shape){100, 2, 5, false}, 9, DRAWS);
    int *overlap = collect_draws((shape){100, 4, 8, true}, 9, DRAWS);
    assert_memory_equal(baseline, overlap, DRAWS * sizeof *baseline);
    free(baseline);
    free(overlap);
}

static void freeing_nothing_is_allowed(void **state) {
    (void)state;
    overlap_sampler_free(NULL);
}

/* ---- going on ---- */

/* Every place where one can leave off: within the first epochs, at their ends, and beyond. */
static void skipping_goes_on_as_if_nothing_had_been_left_out(void **state) {
    (void)state;
    enum { ITERATIONS = 40 };
    for (int i = 0; i < SHAPES; i++) {
        sample all[ITERATIONS][MOST_ROWS], rest[MOST_ROWS];
        overlap_sampler *sampler = create(shapes[i], 11);
        for (int n = 0; n < ITERATIONS; n++)
            overlap_sampler_next(sampler, all[n]);
        overlap_sampler_free(sampler);
        size_t bytes = (size_t)(shapes[i].slots * shapes[i].rows) * sizeof *rest;
        for (int skipped = 0; skipped < ITERATIONS; skipped++) {
            sampler = create(shapes[i], 11);
            overlap_sampler_skip(sampler, skipped);
            for (int n = skipped; n < ITERATIONS; n++) {
                overlap_sampler_next(sampler, rest);
                for (size_t row = 0; row < bytes / sizeof *rest; row++) {
                    assert_int_equal(rest[row].id, all[n][row].id);
                    assert_int_equal(rest[row].image, all[n][row].image);
                    assert_int_equal(rest[row].visit, all[n][row].visit);
                }
            }
            overlap_sampler_free(sampler);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_image_is_new_exactly_once_an_epoch),
        cmocka_unit_test(the_stream_runs_on_over_an_epochs_end),
        cmocka_unit_test(the_ordered_sampler_keeps_the_lists_order),
        cmocka_unit_test(successive_epochs_are_shuffled_differently),
        cmocka_unit_test(every_image_is_equally_likely_at_every_place),
        cmocka_unit_test(every_order_is_equally_likely),
        cmocka_unit_test(the_second_half_is_revisited_in_order_at_the_same_slot),
        cmocka_unit_test(the_rest_and_the_first_iteration_are_new),
        cmocka_unit_test(each_draw_has_an_id_of_its_own),
        cmocka_unit_test(each_new_row_of_a_second_half_is_seen_twice),
        cmocka_unit_test(a_baseline_revisits_nothing),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(different_seeds_differ),
        cmocka_unit_test(the_order_of_new_images_does_not_depend_on_the_overlap),
        cmocka_unit_test(freeing_nothing_is_allowed),
        cmocka_unit_test(skipping_goes_on_as_if_nothing_had_been_left_out),
    };
    return cmocka_run_group_tests_name("overlap_sampler", tests, NULL, NULL);
}
