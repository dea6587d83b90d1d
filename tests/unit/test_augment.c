/* augment: rendering against the host's own functions, exact cases, and how draws are
 * distributed, again against the host. */
#include "augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image.h"
#include "utils.h"

static const augmentation identity = {.scale = 1, .aspect = 1, .saturation = 1, .exposure = 1};

/* ---- images ---- */

static rgb_image make_rgb(int width, int height) {
    unsigned char *pixels = calloc((size_t)(width * height), 3);
    assert_non_null(pixels);
    return (rgb_image){width, height, pixels};
}

static rgb_image one_pixel(unsigned char r, unsigned char g, unsigned char b) {
    rgb_image image = make_rgb(1, 1);
    memcpy(image.pixels, (unsigned char[]){r, g, b}, 3);
    return image;
}

/* Noise with many pixels that are grey, black, white or of a pure colour. */
static rgb_image random_image(random_stream *stream, int width, int height) {
    rgb_image image = make_rgb(width, height);
    for (int i = 0; i < width * height; i++) {
        unsigned char *pixel = image.pixels + 3 * i;
        uint64_t kind = random_below(stream, 4), bits = random_bits(stream);
        for (int c = 0; c < 3; c++)
            if (kind == 0)
                pixel[c] = (unsigned char)bits;
            else if (kind == 1)
                pixel[c] = bits >> c & 1 ? 255 : 0;
            else
                pixel[c] = (unsigned char)(bits >> 8 * c);
    }
    return image;
}

/* Falls and rises slowly, so that a position's last bits do not matter. */
static rgb_image smooth_image(int width, int height) {
    rgb_image image = make_rgb(width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned char *pixel = image.pixels + 3 * (y * width + x);
            pixel[0] = (unsigned char)(255 * x / width);
            pixel[1] = (unsigned char)(255 * y / height);
            pixel[2] = (unsigned char)(255 - 255 * x / width);
        }
    return image;
}

static image host_image(rgb_image ours) {
    image host = make_image(ours.width, ours.height, 3);
    int plane = ours.width * ours.height;
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < plane; i++)
            host.data[c * plane + i] = (float)ours.pixels[3 * i + c] / 255;
    return host;
}

/* (3, height, width), the caller frees it. */
static float *render(rgb_image image, augmentation drawn, int width, int height) {
    float *row = malloc((size_t)(3 * width * height) * sizeof *row);
    assert_non_null(row);
    render_augmented(&image, &drawn, width, height, row);
    return row;
}

static image host_render(rgb_image ours, augmentation a, int width, int height) {
    image whole = host_image(ours);
    image crop = rotate_crop_image(whole, a.radians, a.scale, width, height, a.dx, a.dy, a.aspect);
    if (a.flip)
        flip_image(crop);
    distort_image(crop, a.hue, a.saturation, a.exposure);
    free_image(whole);
    return crop;
}

/* Renders `image` both ways and asserts that no value differs by more than `tolerance`. */
static void check_against_host(rgb_image ours, augmentation a, int width, int height,
                               float tolerance) {
    float *row = render(ours, a, width, height);
    image host = host_render(ours, a, width, height);
    for (int i = 0; i < 3 * width * height; i++)
        if (!(fabsf(row[i] - host.data[i]) <= tolerance))
            fail_msg("value %d of 3x%dx%d is %.9g, the host's is %.9g; %dx%d image, radians %g, "
                     "scale %g, offset %g %g, aspect %g, flip %d, hue %g, saturation %g, "
                     "exposure %g",
                     i, height, width, row[i], host.data[i], ours.width, ours.height, a.radians,
                     a.scale, a.dx, a.dy, a.aspect, a.flip, a.hue, a.saturation, a.exposure);
    free_image(host);
    free(row);
}

static void check_pixel(rgb_image image, augmentation drawn, float r, float g, float b) {
    float *row = render(image, drawn, 1, 1);
    assert_float_equal(row[0], r, 1e-6f);
    assert_float_equal(row[1], g, 1e-6f);
    assert_float_equal(row[2], b, 1e-6f);
    free(row);
    free(image.pixels);
}

/* ---- rendering: against the host ---- */

static augmentation random_geometry(random_stream *stream) {
    augmentation a = identity;
    a.radians = random_uniform(stream, -(float)M_PI, (float)M_PI);
    a.scale = random_uniform(stream, .2f, 3);
    a.dx = random_uniform(stream, -30, 30);
    a.dy = random_uniform(stream, -30, 30);
    a.aspect = random_uniform(stream, .5f, 2);
    a.flip = random_below(stream, 2);
    return a;
}

static void add_random_distortion(augmentation *a, random_stream *stream) {
    a->hue = random_uniform(stream, -.99f, .99f);
    a->saturation = random_uniform(stream, .25f, 4);
    a->exposure = random_uniform(stream, .25f, 4);
}

static int size_up_to(random_stream *stream, int limit) {
    return 1 + (int)random_below(stream, (uint64_t)limit);
}

static void crop_rotation_and_flip_are_the_hosts(void **state) {
    (void)state;
    random_stream stream = {1};
    for (int i = 0; i < 500; i++) {
        rgb_image image = random_image(&stream, size_up_to(&stream, 60), size_up_to(&stream, 60));
        check_against_host(image, random_geometry(&stream), size_up_to(&stream, 40),
                           size_up_to(&stream, 40), 3e-5f);
        free(image.pixels);
    }
}

static void distortion_is_the_hosts(void **state) {
    (void)state;
    random_stream stream = {2};
    for (int i = 0; i < 500; i++) {
        int width = size_up_to(&stream, 40), height = size_up_to(&stream, 40);
        rgb_image image = random_image(&stream, width, height);
        augmentation a = identity;
        add_random_distortion(&a, &stream);
        check_against_host(image, a, width, height, 3e-5f);
        free(image.pixels);
    }
}

static void all_of_it_together_is_the_hosts(void **state) {
    (void)state;
    random_stream stream = {3};
    for (int i = 0; i < 500; i++) {
        rgb_image image = random_image(&stream, size_up_to(&stream, 60), size_up_to(&stream, 60));
        augmentation a = random_geometry(&stream);
        add_random_distortion(&a, &stream);
        check_against_host(image, a, size_up_to(&stream, 40), size_up_to(&stream, 40), 1e-4f);
        free(image.pixels);
    }
}

static void a_large_image_is_rendered_as_by_the_host(void **state) {
    (void)state;
    random_stream stream = {4};
    rgb_image image = smooth_image(2000, 1500);
    for (int i = 0; i < 20; i++) {
        augmentation a = random_geometry(&stream);
        a.scale = random_uniform(&stream, .1f, .2f);
        add_random_distortion(&a, &stream);
        check_against_host(image, a, 64, 64, 1e-4f);
    }
    free(image.pixels);
}

/* ---- rendering: exact cases ---- */

static void nothing_drawn_leaves_every_byte_exact(void **state) {
    (void)state;
    random_stream stream = {5};
    for (int size = 1; size < 40; size++) {
        int width = size, height = 41 - size, plane = width * height;
        rgb_image image = random_image(&stream, width, height);
        float *row = render(image, identity, width, height);
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < plane; i++)
                assert_true(row[c * plane + i] == (float)image.pixels[3 * i + c] / 255.f);
        free(row);
        free(image.pixels);
    }
}

static void a_flip_mirrors_every_line(void **state) {
    (void)state;
    random_stream stream = {6};
    augmentation flipped = identity;
    flipped.flip = true;
    for (int width = 1; width < 8; width++) {
        rgb_image image = random_image(&stream, width, 5);
        float *row = render(image, identity, width, 5);
        float *mirrored = render(image, flipped, width, 5);
        for (int line = 0; line < 3 * 5; line++)
            for (int x = 0; x < width; x++)
                assert_true(mirrored[line * width + x] == row[line * width + width - 1 - x]);
        free(mirrored);
        free(row);
        free(image.pixels);
    }
}

/* Moved by two columns and one line: what comes in is black. */
static void pixels_from_outside_are_black(void **state) {
    (void)state;
    random_stream stream = {7};
    rgb_image image = random_image(&stream, 6, 4);
    augmentation moved = identity;
    moved.dx = 2;
    moved.dy = 1;
    float *row = render(image, identity, 6, 4);
    float *shifted = render(image, moved, 6, 4);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++)
                assert_true(shifted[(c * 4 + y) * 6 + x] ==
                            (x < 4 && y < 3 ? row[(c * 4 + y + 1) * 6 + x + 2] : 0));
    free(shifted);
    free(row);
    free(image.pixels);
}

static void far_outside_all_is_black(void **state) {
    (void)state;
    rgb_image image = smooth_image(20, 20);
    augmentation far = identity;
    far.dx = -3e9f;
    far.dy = 3e38f;
    float *row = render(image, far, 8, 8);
    for (int i = 0; i < 3 * 8 * 8; i++)
        assert_true(row[i] == 0);
    free(row);
    free(image.pixels);
}

static void grey_stays_grey_under_any_hue_and_saturation(void **state) {
    (void)state;
    augmentation a = identity;
    a.saturation = 4;
    for (int value = 0; value < 256; value++) {
        float grey = (float)value / 255;
        a.hue = (float)value / 128 - 1;
        unsigned char byte = (unsigned char)value;
        check_pixel(one_pixel(byte, byte, byte), a, grey, grey, grey);
    }
}

static void black_stays_black_under_any_distortion(void **state) {
    (void)state;
    augmentation a = {.scale = 1, .aspect = 1, .hue = .3f, .saturation = 5, .exposure = 5};
    check_pixel(one_pixel(0, 0, 0), a, 0, 0, 0);
}

static void exposure_ends_at_white(void **state) {
    (void)state;
    augmentation a = identity;
    a.exposure = 2;
    check_pixel(one_pixel(51, 51, 51), a, .4f, .4f, .4f);
    check_pixel(one_pixel(200, 200, 200), a, 1, 1, 1);
}

static void a_shifted_hue_goes_round_the_circle(void **state) {
    (void)state;
    augmentation a = identity;
    a.hue = 1.f / 3;
    check_pixel(one_pixel(255, 0, 0), a, 0, 1, 0);
    check_pixel(one_pixel(0, 255, 0), a, 0, 0, 1);
    check_pixel(one_pixel(255, 0, 255), a, 1, 1, 0);
    a.hue = -1.f / 3;
    check_pixel(one_pixel(255, 0, 0), a, 0, 0, 1);
    check_pixel(one_pixel(255, 255, 0), a, 1, 0, 1);
}

/* ---- drawing ---- */

enum { DRAWS = 20000, SIDE = 64, MIN_SIDE = 60, MAX_SIDE = 80, WIDTH = 100, HEIGHT = 90 };
static const augment_settings settings = {.width = SIDE,
                                          .height = SIDE,
                                          .min_side = MIN_SIDE,
                                          .max_side = MAX_SIDE,
                                          .angle = 7,
                                          .aspect = .75f,
                                          .hue = .1f,
                                          .saturation = .75f,
                                          .exposure = 1.5f,
                                          .flips = true};

/* What Darknet takes for a cfg without the keys. */
static const augment_settings defaults = {.width = SIDE,
                                          .height = SIDE,
                                          .min_side = SIDE,
                                          .max_side = SIDE,
                                          .aspect = 1,
                                          .saturation = 1,
                                          .exposure = 1,
                                          .flips = true};

static augmentation draw(const augment_settings *from, uint64_t id, uint64_t visit) {
    random_stream stream = random_stream_of(42, id, visit);
    return draw_augmentation(from, WIDTH, HEIGHT, &stream);
}

static bool in_range(float value, float low, float high) {
    return value >= low - 1e-5f && value <= high + 1e-5f;
}

/* The formulas of the host's random_augment_args. */
static void every_draw_is_in_the_hosts_range(void **state) {
    (void)state;
    for (uint64_t id = 0; id < DRAWS; id++) {
        augmentation a = draw(&settings, id, 0);
        assert_true(in_range(a.aspect, .75f, 1 / .75f));
        int shorter = (int)fminf(HEIGHT, WIDTH * a.aspect);
        float side = a.scale * (float)shorter;
        assert_true(in_range(side, MIN_SIDE, MAX_SIDE));
        assert_true(fabsf(side - roundf(side)) < 1e-3f);
        float dx = fabsf(WIDTH * a.scale / a.aspect - SIDE) / 2;
        float dy = fabsf(HEIGHT * a.scale - SIDE) / 2;
        assert_true(in_range(a.dx, -dx, dx));
        assert_true(in_range(a.dy, -dy, dy));
        assert_true(in_range(a.radians, -7 * (float)M_PI / 180, 7 * (float)M_PI / 180));
        assert_true(in_range(a.hue, -.1f, .1f));
        assert_true(in_range(a.saturation, .75f, 1 / .75f));
        assert_true(in_range(a.exposure, 1 / 1.5f, 1.5f));
    }
}

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's test: the largest distance of the two samples' distributions. A
 * larger one than this comes up once in 2000 times if they are the same. */
static void check_same_distribution(const char *what, float *ours, float *host) {
    const double limit = 1.95 * sqrt(2. / DRAWS);
    qsort(ours, DRAWS, sizeof *ours, compare_floats);
    qsort(host, DRAWS, sizeof *host, compare_floats);
    double worst = 0;
    for (int i = 0, j = 0; i < DRAWS && j < DRAWS;) {
        float at = fminf(ours[i], host[j]);
        while (i < DRAWS && ours[i] <= at)
            i++;
        while (j < DRAWS && host[j] <= at)
            j++;
        worst = fmax(worst, abs(i - j) / (double)DRAWS);
    }
    if (!(worst < limit))
        fail_msg("%s: the distributions are %g apart; %g is the limit", what, worst, limit);
}

enum { ASPECT, SCALE, ANGLE, DX, DY, HUE, SATURATION, EXPOSURE, FIELDS };
static const char *const field_names[] = {"aspect", "scale", "angle",      "dx",
                                          "dy",     "hue",   "saturation", "exposure"};
typedef float drawn_fields[FIELDS][DRAWS];

static void draw_ours(drawn_fields out) {
    for (int i = 0; i < DRAWS; i++) {
        augmentation a = draw(&settings, (uint64_t)i, 0);
        const float fields[] = {a.aspect, a.scale, a.radians,    a.dx,
                                a.dy,     a.hue,   a.saturation, a.exposure};
        for (int f = 0; f < FIELDS; f++)
            out[f][i] = fields[f];
    }
}

static void draw_hosts(drawn_fields out) {
    srand(7);
    for (int i = 0; i < DRAWS; i++) {
        image whole = {.w = WIDTH, .h = HEIGHT, .c = 3};
        augment_args a = random_augment_args(whole, settings.angle, settings.aspect, MIN_SIDE,
                                             MAX_SIDE, SIDE, SIDE);
        const float fields[] = {a.aspect,
                                a.scale,
                                a.rad,
                                a.dx,
                                a.dy,
                                rand_uniform(-settings.hue, settings.hue),
                                rand_scale(settings.saturation),
                                rand_scale(settings.exposure)};
        for (int f = 0; f < FIELDS; f++)
            out[f][i] = fields[f];
    }
}

static void draws_are_distributed_as_the_hosts(void **state) {
    (void)state;
    drawn_fields *ours = malloc(sizeof *ours), *host = malloc(sizeof *host);
    assert_non_null(ours);
    assert_non_null(host);
    draw_ours(*ours);
    draw_hosts(*host);
    for (int f = 0; f < FIELDS; f++)
        check_same_distribution(field_names[f], (*ours)[f], (*host)[f]);
    free(host);
    free(ours);
}

static void half_of_the_draws_are_flipped(void **state) {
    (void)state;
    int flips = 0;
    for (uint64_t id = 0; id < DRAWS; id++)
        flips += draw(&settings, id, 0).flip;
    assert_in_range(flips, DRAWS / 2 - 2 * sqrt(DRAWS), DRAWS / 2 + 2 * sqrt(DRAWS));
}

/* Both visits of a sample, and neighbouring samples. */
static void flips_of_related_rows_are_independent(void **state) {
    (void)state;
    int same_visit = 0, same_neighbour = 0;
    for (uint64_t id = 0; id < DRAWS; id++) {
        bool flip = draw(&settings, id, 0).flip;
        same_visit += flip == draw(&settings, id, 1).flip;
        same_neighbour += flip == draw(&settings, id + 1, 0).flip;
    }
    assert_in_range(same_visit, DRAWS / 2 - 2 * sqrt(DRAWS), DRAWS / 2 + 2 * sqrt(DRAWS));
    assert_in_range(same_neighbour, DRAWS / 2 - 2 * sqrt(DRAWS), DRAWS / 2 + 2 * sqrt(DRAWS));
}

static bool same_draw(augmentation a, augmentation b) {
    return a.radians == b.radians && a.scale == b.scale && a.dx == b.dx && a.dy == b.dy &&
           a.aspect == b.aspect && a.flip == b.flip && a.hue == b.hue &&
           a.saturation == b.saturation && a.exposure == b.exposure;
}

static void the_same_stream_gives_the_same_draw(void **state) {
    (void)state;
    for (uint64_t id = 0; id < 100; id++) {
        assert_true(same_draw(draw(&settings, id, 0), draw(&settings, id, 0)));
        assert_false(same_draw(draw(&settings, id, 0), draw(&settings, id, 1)));
        assert_false(same_draw(draw(&settings, id, 0), draw(&settings, id + 1, 0)));
    }
}

static void the_defaults_draw_nothing_but_a_flip(void **state) {
    (void)state;
    for (uint64_t id = 0; id < 100; id++) {
        random_stream stream = random_stream_of(1, id, 0);
        augmentation a = draw_augmentation(&defaults, SIDE, SIDE, &stream);
        a.flip = false;
        assert_true(same_draw(a, identity));
    }
}

/* An image that is larger than the input: the crop's place is drawn along the longer side. */
static void the_defaults_scale_the_shorter_side_to_the_input(void **state) {
    (void)state;
    bool left = false, right = false;
    for (uint64_t id = 0; id < 100; id++) {
        random_stream stream = random_stream_of(1, id, 0);
        augmentation a = draw_augmentation(&defaults, 3 * SIDE, 2 * SIDE, &stream);
        assert_true(a.scale == .5f);
        assert_true(a.dy == 0);
        assert_true(in_range(a.dx, -SIDE / 4, SIDE / 4));
        left |= a.dx < -SIDE / 5;
        right |= a.dx > SIDE / 5;
    }
    assert_true(left && right);
}

static void the_sides_may_be_given_in_either_order(void **state) {
    (void)state;
    augment_settings swapped = settings;
    swapped.min_side = MAX_SIDE;
    swapped.max_side = MIN_SIDE;
    for (uint64_t id = 0; id < 100; id++)
        assert_true(same_draw(draw(&settings, id, 0), draw(&swapped, id, 0)));
}

/* A line of pixels that stretching makes thinner than one. */
static void a_very_thin_image_has_finite_draws(void **state) {
    (void)state;
    for (uint64_t id = 0; id < 100; id++) {
        random_stream stream = random_stream_of(1, id, 0);
        augmentation a = draw_augmentation(&settings, 1, 1000, &stream);
        assert_true(a.scale > 0 && a.scale <= MAX_SIDE);
        assert_true(isfinite(a.dx) && isfinite(a.dy));
    }
}

/* ---- flip=0 ---- */

static void flip_0_takes_nothing_but_the_flip_away(void **state) {
    (void)state;
    augment_settings unflipped = settings;
    unflipped.flips = false;
    for (uint64_t id = 0; id < 100; id++) {
        augmentation with = draw(&settings, id, 0), without = draw(&unflipped, id, 0);
        assert_false(without.flip);
        with.flip = false;
        assert_true(same_draw(with, without));
    }
}

/* ---- pad_crop ---- */

enum { CROP_WIDTH = 5, CROP_HEIGHT = 4, CROP_PLANE = CROP_WIDTH * CROP_HEIGHT, PAD = 2 };
static const augment_settings padding = {.width = CROP_WIDTH,
                                         .height = CROP_HEIGHT,
                                         .saturation = 1,
                                         .exposure = 1,
                                         .flips = true,
                                         .pads = true,
                                         .pad = PAD};

/* Of the padded image; each pixel of the image itself has a value of its own. */
static float padded_value(int c, int x, int y) {
    x -= PAD;
    y -= PAD;
    if (x < 0 || y < 0 || x >= CROP_WIDTH || y >= CROP_HEIGHT)
        return 0;
    return (float)(1 + (c * CROP_HEIGHT + y) * CROP_WIDTH + x) / 255;
}

/* Every place, mirrored and not: values equal to the last bit. */
static void a_pad_crop_is_a_piece_of_the_padded_image(void **state) {
    (void)state;
    float planes[3 * CROP_PLANE], row[3 * CROP_PLANE];
    for (int i = 0; i < 3 * CROP_PLANE; i++)
        planes[i] =
            padded_value(i / CROP_PLANE, i % CROP_WIDTH + PAD, i / CROP_WIDTH % CROP_HEIGHT + PAD);
    for (int place = 0; place < 2 * (2 * PAD + 1) * (2 * PAD + 1); place++) {
        int dx = place / 2 % (2 * PAD + 1), dy = place / 2 / (2 * PAD + 1);
        augmentation drawn = identity;
        drawn.dx = (float)dx;
        drawn.dy = (float)dy;
        drawn.flip = place % 2;
        render_pad_crop(planes, &drawn, &padding, row);
        for (int i = 0; i < 3 * CROP_PLANE; i++) {
            int x = i % CROP_WIDTH, y = i / CROP_WIDTH % CROP_HEIGHT;
            int from = drawn.flip ? CROP_WIDTH - 1 - x : x;
            float expected = padded_value(i / CROP_PLANE, from + dx, y + dy);
            if (row[i] != expected)
                fail_msg("crop at %d, %d, flip %d: value %d is %g, expected %g", dx, dy, drawn.flip,
                         i, row[i], expected);
        }
    }
}

static void a_pad_crop_far_outside_is_black(void **state) {
    (void)state;
    float planes[3 * CROP_PLANE], row[3 * CROP_PLANE];
    augment_settings far = padding;
    far.pad = 1000;
    for (int i = 0; i < 3 * CROP_PLANE; i++)
        planes[i] = row[i] = 1;
    for (int place = 0; place < 4; place++) {
        augmentation drawn = identity;
        drawn.dx = place % 2 ? 0 : 2000;
        drawn.dy = place / 2 ? 0 : 1000; /* beside the image, and beyond a corner */
        render_pad_crop(planes, &drawn, &far, row);
        for (int i = 0; i < 3 * CROP_PLANE; i++)
            assert_true(row[i] == 0);
    }
}

static void a_pad_crop_is_distorted_as_any_other(void **state) {
    (void)state;
    float planes[3 * CROP_PLANE], row[3 * CROP_PLANE];
    rgb_image image = smooth_image(CROP_WIDTH, CROP_HEIGHT);
    augmentation drawn = identity;
    drawn.hue = .1f;
    drawn.saturation = 1.5f;
    drawn.exposure = .75f;
    for (int i = 0; i < 3 * CROP_PLANE; i++)
        planes[i] = (float)image.pixels[3 * (i % CROP_PLANE) + i / CROP_PLANE] / 255;
    float *expected = render(image, drawn, CROP_WIDTH, CROP_HEIGHT);
    drawn.dx = drawn.dy = PAD;
    render_pad_crop(planes, &drawn, &padding, row);
    for (int i = 0; i < 3 * CROP_PLANE; i++)
        assert_float_equal(row[i], expected[i], 1e-6f);
    free(expected);
    free(image.pixels);
}

/* Each of the 25 places, within five standard errors. */
static void every_place_is_drawn_equally_often(void **state) {
    (void)state;
    enum { PLACES = (2 * PAD + 1) * (2 * PAD + 1) };
    int counts[PLACES] = {0}, flips = 0;
    double expected = (double)DRAWS / PLACES;
    for (uint64_t id = 0; id < DRAWS; id++) {
        random_stream stream = random_stream_of(42, id, 0);
        augmentation a = draw_pad_crop(&padding, &stream);
        int dx = (int)a.dx, dy = (int)a.dy;
        assert_true(a.dx == (float)dx && a.dy == (float)dy);
        assert_true(dx >= 0 && dx <= 2 * PAD && dy >= 0 && dy <= 2 * PAD);
        counts[dy * (2 * PAD + 1) + dx]++;
        flips += a.flip;
    }
    for (int i = 0; i < PLACES; i++)
        assert_true(fabs(counts[i] - expected) < 5 * sqrt(expected));
    assert_in_range(flips, DRAWS / 2 - 2 * sqrt(DRAWS), DRAWS / 2 + 2 * sqrt(DRAWS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crop_rotation_and_flip_are_the_hosts),
        cmocka_unit_test(distortion_is_the_hosts),
        cmocka_unit_test(all_of_it_together_is_the_hosts),
        cmocka_unit_test(a_large_image_is_rendered_as_by_the_host),
        cmocka_unit_test(nothing_drawn_leaves_every_byte_exact),
        cmocka_unit_test(a_flip_mirrors_every_line),
        cmocka_unit_test(pixels_from_outside_are_black),
        cmocka_unit_test(far_outside_all_is_black),
        cmocka_unit_test(grey_stays_grey_under_any_hue_and_saturation),
        cmocka_unit_test(black_stays_black_under_any_distortion),
        cmocka_unit_test(exposure_ends_at_white),
        cmocka_unit_test(a_shifted_hue_goes_round_the_circle),
        cmocka_unit_test(every_draw_is_in_the_hosts_range),
        cmocka_unit_test(draws_are_distributed_as_the_hosts),
        cmocka_unit_test(half_of_the_draws_are_flipped),
        cmocka_unit_test(flips_of_related_rows_are_independent),
        cmocka_unit_test(the_same_stream_gives_the_same_draw),
        cmocka_unit_test(the_defaults_draw_nothing_but_a_flip),
        cmocka_unit_test(the_defaults_scale_the_shorter_side_to_the_input),
        cmocka_unit_test(the_sides_may_be_given_in_either_order),
        cmocka_unit_test(a_very_thin_image_has_finite_draws),
        cmocka_unit_test(flip_0_takes_nothing_but_the_flip_away),
        cmocka_unit_test(a_pad_crop_is_a_piece_of_the_padded_image),
        cmocka_unit_test(a_pad_crop_far_outside_is_black),
        cmocka_unit_test(a_pad_crop_is_distorted_as_any_other),
        cmocka_unit_test(every_place_is_drawn_equally_often),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
