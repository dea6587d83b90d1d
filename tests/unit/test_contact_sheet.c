/* contact_sheet: where the tiles are, and what the drawn sheet shows there. */
#include "contact_sheet.h"

#include "image_decode.h"

#include "expect_fail.h"

static void expect_tile(int width, int height, int tile_width, int tile_height) {
    sheet_layout layout = lay_out_sheet(width, height, 3);
    if (layout.tile_width != tile_width || layout.tile_height != tile_height)
        fail_msg("%dx%d becomes %dx%d, expected %dx%d", width, height, layout.tile_width,
                 layout.tile_height, tile_width, tile_height);
}

static void small_images_grow_by_a_whole_factor(void **state) {
    (void)state;
    expect_tile(1, 1, 96, 96);
    expect_tile(8, 8, 96, 96);
    expect_tile(28, 28, 112, 112);
    expect_tile(32, 16, 96, 48);
    expect_tile(95, 95, 190, 190);
    expect_tile(96, 96, 96, 96);
}

static void large_images_shrink(void **state) {
    (void)state;
    expect_tile(160, 100, 160, 100);
    expect_tile(224, 224, 160, 160);
    expect_tile(640, 480, 160, 120);
    expect_tile(1, 1000, 1, 160);
}

/* Marks the rectangle, which nothing else may have marked. */
static void claim(unsigned char *used, const sheet_layout *layout, int x, int y, int width,
                  int height) {
    assert_true(x >= 0 && y >= 0 && x + width <= layout->width && y + height <= layout->height);
    for (int i = y; i < y + height; i++)
        for (int j = x; j < x + width; j++) {
            assert_int_equal(used[i * layout->width + j], 0);
            used[i * layout->width + j] = 1;
        }
}

static void nothing_overlaps(void **state) {
    (void)state;
    static const int SIDES[][2] = {{8, 8}, {32, 8}, {8, 300}, {224, 224}};
    for (int s = 0; s < 4; s++)
        for (int count = 1; count <= 64; count += 7) {
            sheet_layout layout = lay_out_sheet(SIDES[s][0], SIDES[s][1], count);
            unsigned char *used = calloc((size_t)layout.width * (size_t)layout.height, 1);
            assert_non_null(used);
            assert_true(layout.columns * layout.rows >= count);
            for (int i = 0; i < count; i++) {
                int x, y, width;
                find_tile(&layout, i, false, &x, &y);
                claim(used, &layout, x, y, layout.tile_width, layout.tile_height);
                find_tile(&layout, i, true, &x, &y);
                claim(used, &layout, x, y, layout.tile_width, layout.tile_height);
                find_caption(&layout, i, &x, &y, &width);
                claim(used, &layout, x, y, width, 30);
            }
            free(used);
        }
}

/* ---- drawn ---- */

/* 3x2 images of one colour each: pair i has 10 i + 1 above and 10 i + 2 below, of 255. */
enum { PAIRS = 5, WIDTH = 3, HEIGHT = 2, VALUES = 3 * WIDTH * HEIGHT };

static float images[PAIRS][2][VALUES];
static image_pair pairs[PAIRS];

static contact_sheet make_sheet(const char *label) {
    for (int i = 0; i < PAIRS; i++) {
        for (int k = 0; k < VALUES; k++) {
            images[i][0][k] = (float)(10 * i + 1) / 255;
            images[i][1][k] = (float)(10 * i + 2) / 255;
        }
        pairs[i] = (image_pair){images[i][0], images[i][1], label, 1000 + i};
    }
    return (contact_sheet){"title", "subtitle", WIDTH, HEIGHT, PAIRS, pairs};
}

static rgb_image draw(const contact_sheet *sheet) {
    char *reason = NULL;
    size_t size = 0;
    rgb_image drawn;
    unsigned char *png = encode_sheet(sheet, "sheet.png", &size, &reason);
    if (!png)
        fail_msg("%s", reason);
    assert_true(decode_image_bytes(png, size, &drawn));
    free(png);
    return drawn;
}

static const unsigned char *pixel(const rgb_image *image, int x, int y) {
    return image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
}

static void expect_colour(const rgb_image *image, int x, int y, int width, int height, int colour) {
    for (int i = y; i < y + height; i++)
        for (int j = x; j < x + width; j++)
            for (int k = 0; k < 3; k++)
                if (pixel(image, j, i)[k] != colour)
                    fail_msg("pixel %d %d is %d, expected %d", j, i, pixel(image, j, i)[k], colour);
}

static void every_image_is_on_its_tile(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    contact_sheet sheet = make_sheet("label");
    sheet_layout layout = lay_out_sheet(WIDTH, HEIGHT, PAIRS);
    rgb_image drawn = draw(&sheet);
    assert_int_equal(drawn.width, layout.width);
    assert_int_equal(drawn.height, layout.height);
    for (int i = 0; i < PAIRS; i++)
        for (int below = 0; below < 2; below++) {
            int x, y;
            find_tile(&layout, i, below, &x, &y);
            expect_colour(&drawn, x, y, layout.tile_width, layout.tile_height, 10 * i + 1 + below);
        }
    free(drawn.pixels);
}

static void channels_and_pixels_keep_their_places(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    contact_sheet sheet = make_sheet("label");
    sheet_layout layout = lay_out_sheet(WIDTH, HEIGHT, PAIRS);
    int factor = layout.tile_width / WIDTH, left, top;
    for (int k = 0; k < VALUES; k++)
        images[2][1][k] = (float)(10 * k + 7) / 255;
    rgb_image drawn = draw(&sheet);
    find_tile(&layout, 2, true, &left, &top);
    for (int y = 0; y < layout.tile_height; y++)
        for (int x = 0; x < layout.tile_width; x++)
            for (int k = 0; k < 3; k++)
                assert_int_equal(pixel(&drawn, left + x, top + y)[k],
                                 10 * (k * WIDTH * HEIGHT + y / factor * WIDTH + x / factor) + 7);
    free(drawn.pixels);
}

/* Whether the caption's place has ink; right of it there must be none. */
static void check_caption(const char *label) {
    contact_sheet sheet = make_sheet(label);
    sheet_layout layout = lay_out_sheet(WIDTH, HEIGHT, PAIRS);
    rgb_image drawn = draw(&sheet);
    int x, y, width, ink = 0;
    int gap = layout.cell_width - layout.tile_width;
    for (int i = 0; i + 1 < PAIRS; i++) {
        find_caption(&layout, i, &x, &y, &width);
        expect_colour(&drawn, x + width, y, gap, 20, 245);
        for (int j = 0; j < width; j++)
            for (int k = 0; k < 20; k++)
                ink += pixel(&drawn, x + j, y + k)[0] < 200;
    }
    assert_true(ink > 50);
    free(drawn.pixels);
}

static void captions_stay_under_their_tiles(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    check_caption("short");
    check_caption("the name of this class is much longer than a tile is wide");
}

static void a_long_title_widens_the_sheet_to_a_limit(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    char title[1000];
    memset(title, 'w', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    contact_sheet sheet = make_sheet("label");
    sheet.count = 1;
    sheet.title = title;
    rgb_image drawn = draw(&sheet);
    assert_in_range(drawn.width, lay_out_sheet(WIDTH, HEIGHT, 1).width + 1, 1100);
    free(drawn.pixels);
}

static void formats_by_extension(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    assert_true(is_writable_format("a.png"));
    assert_true(is_writable_format("a.b/c.jpg"));
    assert_true(is_writable_format("c.PNG"));
    assert_false(is_writable_format("c.xyz"));
    assert_false(is_writable_format("c"));
    assert_false(is_writable_format("a.png/c"));
    assert_false(is_writable_format(""));
}

static void an_unknown_format_is_an_error(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    contact_sheet sheet = make_sheet("label");
    char *reason = NULL;
    size_t size;
    assert_null(encode_sheet(&sheet, "sheet.xyz", &size, &reason));
    assert_non_null(reason);
    free(reason);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_images_grow_by_a_whole_factor),
        cmocka_unit_test(large_images_shrink),
        cmocka_unit_test(nothing_overlaps),
        cmocka_unit_test(every_image_is_on_its_tile),
        cmocka_unit_test(channels_and_pixels_keep_their_places),
        cmocka_unit_test(captions_stay_under_their_tiles),
        cmocka_unit_test(a_long_title_widens_the_sheet_to_a_limit),
        cmocka_unit_test(formats_by_extension),
        cmocka_unit_test(an_unknown_format_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
