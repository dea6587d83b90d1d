/* image_rows with the recipe's keys: the order in which they apply, labels, and rows mixed within
 * their half of the micro-batch, whatever the number of threads. */
#include "image_rows.h"

#include <fcntl.h>
#include <math.h>

#include "cutout.h"
#include "mix_rows.h"
#include "scratch.h"

enum { IMAGES = 12, SIDE = 6, PLANE = SIDE * SIDE, INPUTS = 3 * PLANE, CLASSES = 3, SEED = 8 };
enum { SLOTS = 2, ROWS = 8, HALF = ROWS / 2 };
static const float MEAN[3] = {.5f, .4f, .3f}, STD[3] = {.25f, .2f, .1f};

static void write_text(const char *name, const char *text) {
    write_scratch(name, text, strlen(text));
}

static unsigned char plain_byte(int image) {
    return (unsigned char)(20 * image + 5);
}

static unsigned char pattern_byte(int image, int x, int y, int c) {
    return (unsigned char)(1 + (((y * SIDE + x) * 3 + c) * (image + 7) + image * 41) % 255);
}

static void write_image(int image, bool plain) {
    char name[32];
    unsigned char bytes[11 + INPUTS] = "P6\n6 6\n255\n";
    for (int i = 0; i < INPUTS; i++)
        bytes[11 + i] =
            plain ? plain_byte(image) : pattern_byte(image, i / 3 % SIDE, i / 3 / SIDE, i % 3);
    snprintf(name, sizeof name, "%d_k%d.ppm", image, image % CLASSES);
    write_scratch(name, bytes, sizeof bytes);
}

typedef struct {
    network *net;
    classifier_data data;
    image_rows rows;
} training;

static training prepare(const char *keys, bool plain) {
    char text[2048], list[2048] = "";
    training t;
    for (int i = 0; i < IMAGES; i++) {
        write_image(i, plain);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s/%d_k%d.ppm\n", scratch_folder,
                 i, i % CLASSES);
    }
    write_text("train.list", list);
    write_text("labels", "k0\nk1\nk2\n");
    snprintf(text, sizeof text, "classes=3\ntrain=%s\nlabels=%s\nbackup=.\n", scratch("train.list"),
             scratch("labels"));
    write_text("x.data", text);
    snprintf(text, sizeof text,
             "[net]\nbatch=%d\nsubdivisions=%d\nwidth=%d\nheight=%d\nchannels=3\n%s\n"
             "[connected]\noutput=3\nactivation=linear\n[softmax]\n",
             SLOTS * ROWS, SLOTS, SIDE, SIDE, keys);
    write_text("x.cfg", text);
    t.net = parse_network_cfg((char *)scratch("x.cfg"));
    t.data = read_classifier_data((char *)scratch("x.data"), "x.cfg", t.net, NULL);
    return t;
}

/* Points into `t`, which must not move. */
static void finish_rows(training *t, bool overlap) {
    t->rows = image_rows_of(t->net, &t->data, SEED, overlap);
}

static void clean_up(training *t) {
    free_classifier_data(&t->data);
    free_network(t->net);
}

static void load(training *t, int image, int64_t id, int visit, float *inputs, float *truths) {
    row_target target = {id, visit, inputs, truths};
    char *reason;
    assert_true(load_image_rows(&t->rows, image, &target, 1, &reason));
}

/* ---- one row ---- */

/* Of the padded image, before and after the pad's 0 has been normalised with the rest. */
static float expected_pixel(int image, int x, int y, int c) {
    bool inside = x >= 0 && y >= 0 && x < SIDE && y < SIDE;
    float value = inside ? (float)(pattern_byte(image, x, y, c) / 255.) : 0;
    return (value - MEAN[c]) / STD[c];
}

static void padding_comes_before_normalising_and_cutout_after_it(void **state) {
    (void)state;
    enum { PAD = 2, CUT = 3 };
    float inputs[INPUTS], truths[CLASSES];
    training t = prepare("pad_crop=2\nmean=.5,.4,.3\nstd=.25,.2,.1\ncutout=3", false);
    finish_rows(&t, true);
    int cut_pixels = 0;
    for (int64_t id = 0; id < 200; id++) {
        int image = (int)(id % IMAGES), visit = (int)(id / IMAGES % 2);
        load(&t, image, id, visit, inputs, truths);
        random_stream stream = random_stream_of(SEED, (uint64_t)id, (uint64_t)visit);
        augmentation drawn = draw_pad_crop(&t.rows.augment, &stream);
        image_box cut = draw_cutout(CUT, SIDE, SIDE, &stream);
        for (int i = 0; i < INPUTS; i++) {
            int x = i % SIDE, y = i / SIDE % SIDE, c = i / PLANE;
            bool out = x >= cut.left && x < cut.right && y >= cut.top && y < cut.bottom;
            int from = (drawn.flip ? SIDE - 1 - x : x) + (int)drawn.dx - PAD;
            float expected = out ? 0 : expected_pixel(image, from, y + (int)drawn.dy - PAD, c);
            if (inputs[i] != expected)
                fail_msg("id %d, value %d is %g, expected %g", (int)id, i, inputs[i], expected);
            cut_pixels += out;
        }
    }
    assert_true(cut_pixels > 0);
    clean_up(&t);
}

static void each_visit_is_drawn_anew_and_the_same_one_again_alike(void **state) {
    (void)state;
    float first[INPUTS], second[INPUTS], again[INPUTS], truths[CLASSES];
    training t = prepare("pad_crop=2\ncutout=2", false);
    int same = 0;
    finish_rows(&t, true);
    for (int64_t id = 0; id < 50; id++) {
        load(&t, 1, id, 0, first, truths);
        load(&t, 1, id, 1, second, truths);
        load(&t, 1, id, 0, again, truths);
        assert_memory_equal(first, again, sizeof first);
        same += !memcmp(first, second, sizeof first);
    }
    assert_true(same < 5);
    clean_up(&t);
}

/* Twice the size, each pixel four times over: what validation sees of it. */
static void another_size_is_brought_to_the_networks_as_in_validation(void **state) {
    (void)state;
    enum { LARGE = 2 * SIDE, WIDE = LARGE + 8 };
    unsigned char bytes[13 + 3 * LARGE * WIDE];
    float inputs[INPUTS], truths[CLASSES];
    training t = prepare("pad_crop=0\nflip=0", false);
    finish_rows(&t, true);
    int head = snprintf((char *)bytes, sizeof bytes, "P6\n%d %d\n255\n", WIDE, LARGE);
    assert_int_equal(head, 13);
    for (int i = 0; i < 3 * LARGE * WIDE; i++)
        bytes[13 + i] = (unsigned char)(i * 37 % 251);
    write_scratch("0_k0.ppm", bytes, sizeof bytes);
    load(&t, 0, 0, 0, inputs, truths);
    image whole = load_image_color(t.data.list.paths[0], 0, 0);
    image crop = center_crop_image(whole, SIDE, SIDE);
    for (int i = 0; i < INPUTS; i++)
        assert_float_equal(inputs[i], crop.data[i], 1e-6f);
    free_image(whole);
    free_image(crop);
    clean_up(&t);
}

static void smoothing_gives_each_class_its_part(void **state) {
    (void)state;
    float inputs[INPUTS], truths[CLASSES];
    training t = prepare("label_smoothing=.3", false);
    finish_rows(&t, true);
    for (int image = 0; image < IMAGES; image++) {
        load(&t, image, image, 0, inputs, truths);
        for (int k = 0; k < CLASSES; k++)
            assert_float_equal(truths[k], (k == image % CLASSES ? .7f : 0) + .3f / CLASSES, 1e-6f);
    }
    clean_up(&t);
}

static void labels_stay_hard_without_the_keys(void **state) {
    (void)state;
    float inputs[INPUTS], truths[CLASSES];
    training t = prepare("", false);
    finish_rows(&t, true);
    load(&t, 4, 0, 0, inputs, truths);
    assert_true(truths[0] == 0 && truths[1] == 1 && truths[2] == 0);
    assert_null(image_rows_source(&t.rows).finish);
    clean_up(&t);
}

/* ---- rows mixed with each other ---- */

static overlap_loader *start_loader(training *t, bool overlap, int threads) {
    loader_settings settings = {.images = IMAGES,
                                .slots = SLOTS,
                                .share = {.shards = 1, .own = 1, .rows = ROWS, .halves = true},
                                .overlap = overlap,
                                .seed = SEED,
                                .row_inputs = INPUTS,
                                .row_truths = CLASSES,
                                .threads = threads};
    finish_rows(t, overlap);
    settings.source = image_rows_source(&t->rows);
    return overlap_loader_create(&settings);
}

static row_mix expected_mix(const training *t, const sample *s, int row, int rows) {
    mix_settings settings = {
        SIDE, SIDE, CLASSES, t->rows.keys.mixup, t->rows.keys.cutmix, t->rows.keys.cutmix_prob};
    random_stream stream =
        random_stream_of(SEED, (uint64_t)s->id, ((uint64_t)1 << 32) + (uint64_t)s->visit);
    return draw_row_mix(&settings, row, rows, &stream);
}

/* The images are of one colour, so that a value says which part of which image is in it. */
static void check_mixed_row(const training *t, const loaded_batch *batch, int row, int rows) {
    int group = row / rows * rows;
    const sample *samples = batch->samples + group;
    row_mix mix = expected_mix(t, &samples[row - group], row - group, rows);
    int image = samples[row - group].image, other = samples[mix.partner].image;
    float mine = (float)plain_byte(image) / 255, others = (float)plain_byte(other) / 255;
    for (int i = 0; i < INPUTS; i++) {
        int x = i % SIDE, y = i / SIDE % SIDE;
        bool pasted = mix.pastes && x >= mix.box.left && x < mix.box.right && y >= mix.box.top &&
                      y < mix.box.bottom;
        float own = t->rows.keys.cutmix > 0 ? !pasted : mix.own;
        float expected = own * mine + (1 - own) * others;
        if (!(fabsf(batch->inputs[row * INPUTS + i] - expected) < 1e-6f))
            fail_msg("row %d, value %d is %g, expected %g", row, i, batch->inputs[row * INPUTS + i],
                     expected);
    }
    for (int k = 0; k < CLASSES; k++) {
        float expected = mix.own * (k == image % CLASSES) + (1 - mix.own) * (k == other % CLASSES);
        assert_float_equal(batch->truths[row * CLASSES + k], expected, 1e-6f);
    }
}

static void check_mixing(const char *keys, bool overlap) {
    char text[128];
    snprintf(text, sizeof text, "pad_crop=0\n%s", keys);
    training t = prepare(text, true);
    overlap_loader *loader = start_loader(&t, overlap, 3);
    for (int iteration = 0; iteration < 6; iteration++) {
        const loaded_batch *batch = overlap_loader_next(loader);
        assert_non_null(batch);
        for (int row = 0; row < SLOTS * ROWS; row++)
            check_mixed_row(&t, batch, row, overlap ? HALF : ROWS);
    }
    overlap_loader_free(loader);
    clean_up(&t);
}

static void mixup_stays_within_a_half_of_the_micro_batch(void **state) {
    (void)state;
    check_mixing("mixup=1", true);
}

static void cutmix_stays_within_a_half_of_the_micro_batch(void **state) {
    (void)state;
    check_mixing("cutmix=1\ncutmix_prob=.7", true);
}

static void without_dlb_the_whole_micro_batch_mixes(void **state) {
    (void)state;
    check_mixing("mixup=.5", false);
    check_mixing("cutmix=.5", false);
}

static void threads_change_nothing(void **state) {
    (void)state;
    enum { BATCH = SLOTS * ROWS };
    static const char keys[] = "pad_crop=1\ncutout=2\nmixup=.4\nlabel_smoothing=.1\n"
                               "mean=.5,.4,.3\nstd=.25,.2,.1\nhue=.1\nsaturation=1.5";
    for (int threads = 2; threads <= 8; threads++) {
        training one = prepare(keys, false), many = prepare(keys, false);
        overlap_loader *first = start_loader(&one, true, 1);
        overlap_loader *second = start_loader(&many, true, threads);
        for (int iteration = 0; iteration < 5; iteration++) {
            const loaded_batch *a = overlap_loader_next(first), *b = overlap_loader_next(second);
            assert_non_null(a);
            assert_non_null(b);
            assert_memory_equal(a->inputs, b->inputs, BATCH * INPUTS * sizeof *a->inputs);
            assert_memory_equal(a->truths, b->truths, BATCH * CLASSES * sizeof *a->truths);
        }
        overlap_loader_free(first);
        overlap_loader_free(second);
        clean_up(&one);
        clean_up(&many);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_comes_before_normalising_and_cutout_after_it),
        cmocka_unit_test(each_visit_is_drawn_anew_and_the_same_one_again_alike),
        cmocka_unit_test(another_size_is_brought_to_the_networks_as_in_validation),
        cmocka_unit_test(smoothing_gives_each_class_its_part),
        cmocka_unit_test(labels_stay_hard_without_the_keys),
        cmocka_unit_test(mixup_stays_within_a_half_of_the_micro_batch),
        cmocka_unit_test(cutmix_stays_within_a_half_of_the_micro_batch),
        cmocka_unit_test(without_dlb_the_whole_micro_batch_mixes),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests_name("image_rows", tests, make_scratch, remove_scratch);
}
