/* cutout: which pixels the square covers, at the borders too, and how its centre is distributed. */
#include "cutout.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WIDTH = 7, HEIGHT = 5, PIXELS = WIDTH * HEIGHT, DRAWS = 40000 };

/* The paper's code for even sides: from centre - side/2 up to, not including, centre + side/2. */
static bool covers(int centre, int side, int at) {
    int first = centre - side / 2;
    return at >= first && at < first + side;
}

static void the_square_is_clipped_at_the_borders(void **state) {
    (void)state;
    for (int side = 0; side <= 9; side++)
        for (int x = 0; x < WIDTH; x++)
            for (int y = 0; y < HEIGHT; y++) {
                image_box box = box_around(x, y, side, side, WIDTH, HEIGHT);
                int area = 0;
                for (int i = 0; i < PIXELS; i++) {
                    int column = i % WIDTH, row = i / WIDTH;
                    bool inside = column >= box.left && column < box.right && row >= box.top &&
                                  row < box.bottom;
                    assert_int_equal(inside, covers(x, side, column) && covers(y, side, row));
                    area += inside;
                }
                assert_int_equal(box_area(box), area);
            }
}

static void a_square_far_too_large_is_the_image(void **state) {
    (void)state;
    image_box box = box_around(3, 2, 65536, 65536, WIDTH, HEIGHT);
    assert_int_equal(box_area(box), PIXELS);
}

static void just_the_box_becomes_0_in_all_three_planes(void **state) {
    (void)state;
    float row[3 * PIXELS];
    image_box box = {.left = 2, .top = 1, .right = 5, .bottom = 3};
    for (int i = 0; i < 3 * PIXELS; i++)
        row[i] = (float)(i + 1);
    cut_out(box, WIDTH, HEIGHT, row);
    for (int i = 0; i < 3 * PIXELS; i++) {
        int x = i % WIDTH, y = i / WIDTH % HEIGHT;
        bool inside = x >= 2 && x < 5 && y >= 1 && y < 3;
        assert_true(row[i] == (inside ? 0 : (float)(i + 1)));
    }
}

static void an_empty_box_changes_nothing(void **state) {
    (void)state;
    float row[3 * PIXELS];
    for (int i = 0; i < 3 * PIXELS; i++)
        row[i] = 1;
    cut_out(box_around(3, 2, 0, 0, WIDTH, HEIGHT), WIDTH, HEIGHT, row);
    for (int i = 0; i < 3 * PIXELS; i++)
        assert_true(row[i] == 1);
}

/* With a side of 1 the box is the centre: each pixel as often as another, within five standard
 * errors. */
static void each_pixel_is_the_centre_equally_often(void **state) {
    (void)state;
    int counts[PIXELS] = {0};
    double expected = (double)DRAWS / PIXELS;
    for (uint64_t i = 0; i < DRAWS; i++) {
        random_stream stream = random_stream_of(3, i, 0);
        image_box box = draw_cutout(1, WIDTH, HEIGHT, &stream);
        assert_int_equal(box_area(box), 1);
        counts[box.top * WIDTH + box.left]++;
    }
    for (int i = 0; i < PIXELS; i++)
        if (!(fabs(counts[i] - expected) < 5 * sqrt(expected)))
            fail_msg("pixel %d is the centre %d times, expected %g", i, counts[i], expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_square_is_clipped_at_the_borders),
        cmocka_unit_test(a_square_far_too_large_is_the_image),
        cmocka_unit_test(just_the_box_becomes_0_in_all_three_planes),
        cmocka_unit_test(an_empty_box_changes_nothing),
        cmocka_unit_test(each_pixel_is_the_centre_equally_often),
    };
    return cmocka_run_group_tests_name("cutout", tests, NULL, NULL);
}
