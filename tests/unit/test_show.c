/* `darknet dlb show`: every pixel of the sheet against what the sampler and the augmentation give
 * for the same seed. */
#include "show.h"

#include "classifier_data.h"
#include "contact_sheet.h"
#include "image_rows.h"
#include "overlap_sampler.h"
#include "quiet_parser.h"

#include <fcntl.h>
#include <math.h>

#include "expect_fail.h"

enum { IMAGES = 9, SIDE = 8, SLOTS = 2, ROWS = 4, HALF = ROWS / 2, SEED = 5 };

static int home; /* where the test was started */
static char folder[] = "/tmp/test_show.XXXXXX";

static FILE *create(const char *name) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    return file;
}

static void close_file(FILE *file) {
    assert_int_equal(fclose(file), 0);
}

static char *image_name(int i) {
    static char name[32];
    snprintf(name, sizeof name, "%d_k%d.ppm", i, i % 3);
    return name;
}

/* Of one colour, 20 i + 10 * channel + 5. */
static void write_plain_image(int i) {
    FILE *file = create(image_name(i));
    fprintf(file, "P6\n%d %d\n255\n", SIDE, SIDE);
    for (int k = 0; k < 3 * SIDE * SIDE; k++)
        fputc(20 * i + 10 * (k % 3) + 5, file);
    close_file(file);
}

/* Neither symmetric nor like another. */
static void write_pattern(int i) {
    FILE *file = create(image_name(i));
    fprintf(file, "P6\n%d %d\n255\n", SIDE, SIDE);
    for (int k = 0; k < 3 * SIDE * SIDE; k++)
        fputc((k * (i + 7) + i * 41) % 256, file);
    close_file(file);
}

static void write_cfg(const char *keys) {
    FILE *file = create("x.cfg");
    fprintf(file,
            "[net]\nbatch=%d\nsubdivisions=%d\nwidth=%d\nheight=%d\nchannels=3\nmax_batches=4\n"
            "learning_rate=0.1\nmomentum=0.9\ndecay=0\n%s\n"
            "[connected]\noutput=3\nactivation=linear\n[softmax]\ngroups=1\n[dlb_cost]\n",
            SLOTS * ROWS, SLOTS, SIDE, SIDE, keys);
    close_file(file);
}

static int enter_folder(void **state) {
    (void)state;
    home = open(".", O_RDONLY | O_DIRECTORY);
    if (home < 0 || !mkdtemp(folder) || chdir(folder))
        return -1;
    FILE *list = create("train.list"), *labels = create("labels"), *data = create("x.data");
    for (int i = 0; i < IMAGES; i++)
        fprintf(list, "%s\n", image_name(i));
    fputs("k0\nk1\nk2\n", labels);
    fputs("classes=3\ntrain=train.list\nlabels=labels\nbackup=.\n", data);
    close_file(list);
    close_file(labels);
    close_file(data);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    for (int i = 0; i < IMAGES; i++)
        unlink(image_name(i));
    static const char *const names[] = {"train.list", "labels", "x.data", "x.cfg", "pairs.png"};
    for (int i = 0; i < 5; i++)
        unlink(names[i]);
    return fchdir(home) || close(home) || rmdir(folder);
}

static rgb_image show(int iteration, int slot) {
    char numbers[3][16];
    snprintf(numbers[0], sizeof numbers[0], "%d", SEED);
    snprintf(numbers[1], sizeof numbers[1], "%d", iteration);
    snprintf(numbers[2], sizeof numbers[2], "%d", slot);
    char *argv[] = {"darknet",    "dlb",      "show",  "x.data",   "x.cfg", "-seed",    numbers[0],
                    "-iteration", numbers[1], "-slot", numbers[2], "-out",  "pairs.png"};
    run_show(sizeof argv / sizeof *argv, argv);
    rgb_image picture;
    char *reason;
    if (!decode_image("pairs.png", &picture, &reason))
        fail_msg("%s", reason);
    return picture;
}

/* The samples of the iteration before and of the iteration itself, from 1. */
static void sample_iterations(int iteration, sample *before, sample *now) {
    overlap_sampler *sampler = overlap_sampler_create(IMAGES, SLOTS, ROWS, true, SEED);
    for (int i = 1; i <= iteration; i++) {
        memcpy(before, now, SLOTS * ROWS * sizeof *now);
        overlap_sampler_next(sampler, now);
    }
    overlap_sampler_free(sampler);
}

static int value_on_tile(const rgb_image *picture, int pair, bool below, int x, int y, int k) {
    sheet_layout layout = lay_out_sheet(SIDE, SIDE, HALF);
    int factor = layout.tile_width / SIDE, left, top;
    find_tile(&layout, pair, below, &left, &top);
    int row = top + y * factor + factor / 2, column = left + x * factor + factor / 2;
    return picture->pixels[((size_t)row * (size_t)picture->width + (size_t)column) * 3 + (size_t)k];
}

/* ---- images of one colour, without augmentation ---- */

static void both_visits_show_the_image_that_the_sampler_draws(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    sample before[SLOTS * ROWS], now[SLOTS * ROWS] = {{0}};
    for (int i = 0; i < IMAGES; i++)
        write_plain_image(i);
    write_cfg("min_crop=8\nmax_crop=8\n");
    for (int iteration = 2; iteration <= 7; iteration++)
        for (int slot = 0; slot < SLOTS; slot++) {
            sample_iterations(iteration, before, now);
            rgb_image picture = show(iteration, slot);
            for (int i = 0; i < HALF; i++) {
                int image = now[slot * ROWS + i].image;
                assert_int_equal(before[slot * ROWS + HALF + i].image, image);
                for (int k = 0; k < 3; k++) {
                    int colour = 20 * image + 10 * k + 5;
                    assert_int_equal(value_on_tile(&picture, i, false, 3, 4, k), colour);
                    assert_int_equal(value_on_tile(&picture, i, true, 3, 4, k), colour);
                }
            }
            free(picture.pixels);
        }
}

/* ---- with all augmentation ---- */

static void check_tile(const rgb_image *picture, int pair, bool below, image_rows *rows,
                       const sample *drawn) {
    float inputs[3 * SIDE * SIDE], truths[3];
    char *reason;
    row_target target = {drawn->id, drawn->visit, inputs, truths};
    assert_true(load_image_rows(rows, drawn->image, &target, 1, &reason));
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                int shown = value_on_tile(picture, pair, below, x, y, k);
                int expected = (int)lrintf(inputs[(k * SIDE + y) * SIDE + x] * 255);
                if (shown != expected)
                    fail_msg("pair %d, %s, pixel %d %d, channel %d is %d, expected %d", pair,
                             below ? "below" : "above", x, y, k, shown, expected);
            }
}

static void every_pixel_is_what_the_loader_renders(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    sample before[SLOTS * ROWS], now[SLOTS * ROWS] = {{0}};
    for (int i = 0; i < IMAGES; i++)
        write_pattern(i);
    write_cfg("min_crop=8\nmax_crop=12\nangle=7\naspect=1.3\nhue=.1\nsaturation=1.5\n"
              "exposure=1.5\n");
    network *net = parse_network_quietly("x.cfg");
    classifier_data data = read_classifier_data("x.data", "x.cfg", net, NULL);
    image_rows rows = {&data, augment_settings_of(net), SEED};
    for (int slot = 0; slot < SLOTS; slot++) {
        sample_iterations(3, before, now);
        rgb_image picture = show(3, slot);
        for (int i = 0; i < HALF; i++) {
            check_tile(&picture, i, false, &rows, &now[slot * ROWS + i]);
            check_tile(&picture, i, true, &rows, &before[slot * ROWS + HALF + i]);
        }
        free(picture.pixels);
    }
    free_classifier_data(&data);
    free_network(net);
}

/* ---- with the keys of the recipe ---- */

/* Normalised for the network, and brought back for people. */
static void a_normalised_image_is_shown_as_it_was(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    rgb_image pictures[2];
    for (int i = 0; i < IMAGES; i++)
        write_pattern(i);
    for (int i = 0; i < 2; i++) {
        write_cfg(i ? "pad_crop=2\nmean=.5,.4,.3\nstd=.25,.2,.1\n" : "pad_crop=2\n");
        pictures[i] = show(3, 0);
    }
    size_t bytes = 3 * (size_t)pictures[0].width * (size_t)pictures[0].height;
    assert_int_equal(pictures[0].width, pictures[1].width);
    assert_memory_equal(pictures[0].pixels, pictures[1].pixels, bytes);
    free(pictures[0].pixels);
    free(pictures[1].pixels);
}

/* Images of one colour, with a lambda near 1/2: the tiles are of a colour in between. */
static void mixed_rows_are_shown_mixed(void **state) {
    (void)state;
    if (!can_draw_sheets())
        skip();
    sample before[SLOTS * ROWS], now[SLOTS * ROWS] = {{0}};
    for (int i = 0; i < IMAGES; i++)
        write_plain_image(i);
    write_cfg("pad_crop=0\nmixup=1000\n");
    sample_iterations(2, before, now);
    rgb_image picture = show(2, 0);
    for (int i = 0; i < HALF; i++) {
        int mine = 20 * now[i].image + 5, other = 20 * now[HALF - 1 - i].image + 5;
        assert_true(abs(value_on_tile(&picture, i, false, 3, 4, 0) - (mine + other) / 2) <=
                    abs(mine - other) / 10 + 1);
    }
    free(picture.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_visits_show_the_image_that_the_sampler_draws),
        cmocka_unit_test(every_pixel_is_what_the_loader_renders),
        cmocka_unit_test(a_normalised_image_is_shown_as_it_was),
        cmocka_unit_test(mixed_rows_are_shown_mixed),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
