/* mix_rows: mixup and CutMix value by value against their definitions, and how lambda, partner and
 * box are distributed. */
#include "mix_rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    ROWS = 4,
    WIDTH = 6,
    HEIGHT = 5,
    PLANE = WIDTH * HEIGHT,
    INPUTS = 3 * PLANE,
    CLASSES = 13, /* no multiple of WIDTH */
    DRAWS = 20000
};
static const mix_settings mixup = {WIDTH, HEIGHT, CLASSES, .mixup = .4f};
static const mix_settings cutmix = {WIDTH, HEIGHT, CLASSES, .cutmix = 1, .cutmix_prob = 1};

typedef struct {
    float inputs[ROWS][INPUTS], truths[ROWS][CLASSES];
} group;

static group numbered_group(void) {
    group g;
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < INPUTS; i++)
            g.inputs[row][i] = (float)(1000 * row + i) / 7;
        for (int k = 0; k < CLASSES; k++)
            g.truths[row][k] = (float)(row + 1) / (float)(k + 2);
    }
    return g;
}

static void check_float(float got, float expected, int row, int at) {
    if (!(fabsf(got - expected) <= 1e-6f * fabsf(expected)))
        fail_msg("row %d, value %d is %.9g, expected %.9g", row, at, got, expected);
}

static void check_truths(const group *before, const group *after, const row_mix *mixes) {
    for (int row = 0; row < ROWS; row++)
        for (int k = 0; k < CLASSES; k++) {
            float own = mixes[row].own, mine = before->truths[row][k];
            float other = before->truths[mixes[row].partner][k];
            check_float(after->truths[row][k], own * mine + (1 - own) * other, row, k);
        }
}

/* Each row is also the partner of another one, so that a row mixed too early would show. */
static void mixup_is_a_weighted_mean(void **state) {
    (void)state;
    static const row_mix mixes[ROWS] = {{1, .25f}, {2, .5f}, {3, .875f}, {0, 0}};
    group before = numbered_group(), after = before;
    mix_rows(&mixup, mixes, ROWS, after.inputs[0], after.truths[0]);
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < INPUTS; i++) {
            float own = mixes[row].own;
            float other = before.inputs[mixes[row].partner][i];
            check_float(after.inputs[row][i], own * before.inputs[row][i] + (1 - own) * other, row,
                        i);
        }
    check_truths(&before, &after, mixes);
}

static void cutmix_pastes_the_partners_box(void **state) {
    (void)state;
    row_mix mixes[ROWS] = {
        {1, .8f, true, {1, 2, 4, 4}},
        {2, 1, true, {3, 3, 3, 3}},
        {3, 1, false, {0, 0, 0, 0}},
        {0, 0, true, {0, 0, WIDTH, HEIGHT}},
    };
    group before = numbered_group(), after = before;
    mix_rows(&cutmix, mixes, ROWS, after.inputs[0], after.truths[0]);
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < INPUTS; i++) {
            const row_mix *m = &mixes[row];
            int x = i % WIDTH, y = i / WIDTH % HEIGHT;
            bool inside = m->pastes && x >= m->box.left && x < m->box.right && y >= m->box.top &&
                          y < m->box.bottom;
            check_float(after.inputs[row][i], before.inputs[inside ? m->partner : row][i], row, i);
        }
    check_truths(&before, &after, mixes);
}

static void lambda_1_leaves_a_row_as_it_is(void **state) {
    (void)state;
    row_mix mixes[ROWS];
    for (int row = 0; row < ROWS; row++)
        mixes[row] = (row_mix){(row + 1) % ROWS, 1};
    group before = numbered_group(), after = before;
    after.inputs[1][0] = before.inputs[1][0] = INFINITY; /* times 0 it would be NaN */
    mix_rows(&mixup, mixes, ROWS, after.inputs[0], after.truths[0]);
    assert_memory_equal(&after, &before, sizeof after);
}

/* ---- what is drawn ---- */

static row_mix draw(const mix_settings *settings, uint64_t id, int row) {
    random_stream stream = random_stream_of(21, id, 7);
    return draw_row_mix(settings, row, ROWS, &stream);
}

static void every_other_row_is_the_partner_equally_often(void **state) {
    (void)state;
    for (int row = 0; row < ROWS; row++) {
        int counts[ROWS] = {0};
        for (uint64_t id = 0; id < DRAWS; id++)
            counts[draw(&mixup, id, row).partner]++;
        assert_int_equal(counts[row], 0);
        for (int i = 0; i < ROWS; i++)
            if (i != row)
                assert_true(fabs(counts[i] - DRAWS / 3.) < 5 * sqrt(DRAWS * 2. / 9));
    }
}

static void two_rows_are_each_others_partners(void **state) {
    (void)state;
    random_stream stream = random_stream_of(1, 2, 3);
    assert_int_equal(draw_row_mix(&mixup, 0, 2, &stream).partner, 1);
    assert_int_equal(draw_row_mix(&mixup, 1, 2, &stream).partner, 0);
}

/* Beta(.4, .4): mean 1/2, variance 1/(4 * 1.8). */
static void mixups_lambda_is_betas(void **state) {
    (void)state;
    double sum = 0, squares = 0, variance = 1 / (4 * 1.8);
    for (uint64_t id = 0; id < DRAWS; id++) {
        row_mix mix = draw(&mixup, id, 0);
        assert_false(mix.pastes);
        sum += mix.own;
        squares += (mix.own - .5) * (mix.own - .5);
    }
    assert_true(fabs(sum / DRAWS - .5) < 5 * sqrt(variance / DRAWS));
    assert_true(fabs(squares / DRAWS - variance) < 5 * variance * sqrt((2 - 6 / 3.8) / DRAWS));
}

/* The mean width that clipping leaves of a box about each column in turn. */
static double mean_clipped(int box, int image) {
    int pixels = 0;
    for (int centre = 0; centre < image; centre++)
        for (int at = 0; at < image; at++)
            pixels += at >= centre - box / 2 && at < centre - box / 2 + box;
    return (double)pixels / image;
}

/* With Beta(1, 1), 1 - lambda is uniform, so that a side of the image's `side` is cut to w pixels
 * with the chance that w <= side * sqrt(1 - lambda) < w + 1. */
static double expected_part_pasted(int side) {
    double area = 0;
    for (int w = 0; w < side; w++) {
        double chance = (2. * w + 1) / (side * side), kept = mean_clipped(w, side);
        area += chance * kept * kept;
    }
    return area / (side * side);
}

static void lambda_is_what_the_box_leaves(void **state) {
    (void)state;
    enum { SIDE = 8 };
    mix_settings square = {SIDE, SIDE, CLASSES, .cutmix = 1, .cutmix_prob = 1};
    double sum = 0;
    for (uint64_t id = 0; id < DRAWS; id++) {
        row_mix mix = draw(&square, id, 0);
        assert_true(mix.pastes);
        assert_true(mix.own == 1 - (float)box_area(mix.box) / (SIDE * SIDE));
        sum += 1 - mix.own;
    }
    /* the variance of a number in [0, 1] is 1/4 at most */
    assert_true(fabs(sum / DRAWS - expected_part_pasted(SIDE)) < 5 * .5 / sqrt(DRAWS));
}

/* The box is empty just where side * sqrt(1 - lambda) is below 1, which the mean above hardly
 * tells: it is 1/2 before clipping whatever the shape. `chance` is Beta's function at 1 / side^2.
 */
static void check_empty_boxes(float shape, double chance) {
    mix_settings square = {8, 8, CLASSES, .cutmix = shape, .cutmix_prob = 1};
    int empty = 0;
    for (uint64_t id = 0; id < DRAWS; id++)
        empty += box_area(draw(&square, id, 0).box) == 0;
    if (!(fabs(empty - chance * DRAWS) < 5 * sqrt(chance * (1 - chance) * DRAWS)))
        fail_msg("cutmix=%g: %d of %d boxes are empty, expected %g", shape, empty, DRAWS,
                 chance * DRAWS);
}

static void small_boxes_are_as_frequent_as_beta_says(void **state) {
    (void)state;
    double x = 1. / 64;
    check_empty_boxes(1, x);
    check_empty_boxes(.5f, 2 / M_PI * asin(sqrt(x)));
    check_empty_boxes(2, x * x * (3 - 2 * x));
}

static void boxes_lie_inside_the_image_and_differ(void **state) {
    (void)state;
    bool left = false, right = false, top = false, bottom = false, whole_inside = false;
    for (uint64_t id = 0; id < DRAWS; id++) {
        image_box box = draw(&cutmix, id, 0).box;
        assert_true(box.left >= 0 && box.left <= box.right && box.right <= WIDTH);
        assert_true(box.top >= 0 && box.top <= box.bottom && box.bottom <= HEIGHT);
        left |= box.left == 0;
        right |= box.right == WIDTH;
        top |= box.top == 0;
        bottom |= box.bottom == HEIGHT;
        whole_inside |= box.left > 0 && box.right < WIDTH && box.top > 0 && box.bottom < HEIGHT;
    }
    assert_true(left && right && top && bottom && whole_inside);
}

static void cutmix_prob_is_the_part_that_is_mixed(void **state) {
    (void)state;
    mix_settings some = cutmix;
    int mixed = 0;
    some.cutmix_prob = .3f;
    for (uint64_t id = 0; id < DRAWS; id++) {
        row_mix mix = draw(&some, id, 0);
        assert_true(mix.pastes || mix.own == 1);
        mixed += mix.pastes;
    }
    assert_true(fabs(mixed - .3 * DRAWS) < 5 * sqrt(.21 * DRAWS));
    some.cutmix_prob = 0;
    for (uint64_t id = 0; id < 1000; id++)
        assert_false(draw(&some, id, 0).pastes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixup_is_a_weighted_mean),
        cmocka_unit_test(cutmix_pastes_the_partners_box),
        cmocka_unit_test(lambda_1_leaves_a_row_as_it_is),
        cmocka_unit_test(every_other_row_is_the_partner_equally_often),
        cmocka_unit_test(two_rows_are_each_others_partners),
        cmocka_unit_test(mixups_lambda_is_betas),
        cmocka_unit_test(lambda_is_what_the_box_leaves),
        cmocka_unit_test(small_boxes_are_as_frequent_as_beta_says),
        cmocka_unit_test(boxes_lie_inside_the_image_and_differ),
        cmocka_unit_test(cutmix_prob_is_the_part_that_is_mixed),
    };
    return cmocka_run_group_tests_name("mix_rows", tests, NULL, NULL);
}
