/* Numbers of 16 bits, the kernels that convert arrays to them and back, and the loss scale, run on
 * the CPU: the same lines as on a GPU. */
#include "small_network.h"

#include "expect_fail.h"

#include "cuda_on_cpu.h"

#include "finite_guard.h"
#include "half_blocks.h"
#include "half_key.h"
#include "loss_scale.h"
#include "option_list.h"

#include <math.h>

enum { THREADS = 8 };

/* ---- numbers ---- */

static bool is_nan_half(uint16_t half, half_type type) {
    uint16_t exponent = type == HALF_FLOAT16 ? 0x7c00 : 0x7f80;
    return (half & 0x7fff) > exponent;
}

static void every_half_comes_back(void **state) {
    (void)state;
    for (int type = HALF_FLOAT16; type <= HALF_BFLOAT16; type++)
        for (uint32_t half = 0; half <= UINT16_MAX; half++) {
            float value = float_of_half((uint16_t)half, (half_type)type);
            uint16_t back = half_of(value, (half_type)type);
            if (is_nan_half((uint16_t)half, (half_type)type))
                assert_true(isnan(value) && is_nan_half(back, (half_type)type));
            else
                assert_int_equal(back, half);
        }
}

/* The number of this type that is nearest to `value`, found among all of them. */
static uint16_t nearest_half(double value, half_type type) {
    uint16_t infinite = type == HALF_FLOAT16 ? 0x7c00 : 0x7f80, low = 0, high = infinite;
    double size = fabs(value), below, above;
    while (high - low > 1) { /* low <= size < high, as numbers */
        uint16_t middle = (uint16_t)((low + high) / 2);
        if (float_of_half(middle, type) <= size)
            low = middle;
        else
            high = middle;
    }
    below = float_of_half(low, type);
    above = high < infinite ? float_of_half(high, type)
                            : 2 * below - float_of_half((uint16_t)(low - 1), type);
    bool up = size - below > above - size || (size - below == above - size && low & 1);
    return (uint16_t)((up ? high : low) | (signbit(value) ? 0x8000 : 0));
}

static void expect_nearest(float value) {
    for (int type = HALF_FLOAT16; type <= HALF_BFLOAT16; type++)
        if (half_of(value, (half_type)type) != nearest_half(value, (half_type)type))
            fail_msg("%a becomes %04x, not %04x", value, half_of(value, (half_type)type),
                     nearest_half(value, (half_type)type));
#ifdef __FLT16_MAX__
    _Float16 of_compiler = (_Float16)value;
    uint16_t bits;
    memcpy(&bits, &of_compiler, sizeof bits);
    assert_int_equal(float16_of(value), bits);
#endif
}

/* Each number of 16 bits, the middle to the next one, and the floats beside both: there and nowhere
 * else what a float becomes changes. */
static void rounding_is_to_nearest_even(void **state) {
    (void)state;
    for (int type = HALF_FLOAT16; type <= HALF_BFLOAT16; type++)
        for (uint32_t half = 0; half < (type == HALF_FLOAT16 ? 0x7c00 : 0x7f80); half++) {
            float value = float_of_half((uint16_t)half, (half_type)type);
            float next = float_of_half((uint16_t)(half + 1), (half_type)type);
            float middle = isinf(next) ? value : (float)(((double)value + next) / 2);
            const float around[] = {nextafterf(value, 0), value, nextafterf(middle, 0), middle,
                                    nextafterf(middle, INFINITY)};
            for (int i = 0; i < 5; i++) {
                expect_nearest(around[i]);
                expect_nearest(-around[i]);
            }
        }
}

static void what_is_too_large_is_infinite(void **state) {
    (void)state;
    assert_int_equal(float16_of(65504), 0x7bff);
    assert_int_equal(float16_of(nextafterf(65520, 0)), 0x7bff);
    assert_int_equal(float16_of(65520), 0x7c00);
    assert_int_equal(float16_of(-3e38f), 0xfc00);
    assert_int_equal(float16_of(INFINITY), 0x7c00);
    assert_int_equal(bfloat16_of(-INFINITY), 0xff80);
    assert_int_equal(bfloat16_of(0x1.ffp127f), 0x7f80);
    assert_true(is_nan_half(float16_of(NAN), HALF_FLOAT16));
    assert_true(is_nan_half(bfloat16_of(float_of_bits(0x7f800001)), HALF_BFLOAT16));
    assert_true(float_is_finite(3e38f) && float_is_finite(0) && float_is_finite(-1e-40f));
    assert_false(float_is_finite(INFINITY) || float_is_finite(-INFINITY) || float_is_finite(NAN));
}

/* ---- layouts ---- */

static void to_kernel(void *job) {
    to_halves_kernel(*(half_job *)job);
}

static void from_kernel(void *job) {
    from_halves_kernel(*(half_job *)job);
}

static void run_pass(void (*kernel)(void *), const half_pass *pass, int maps) {
    half_job job = {*pass, half_tile_of(pass)};
    assert_true(job.tile.channels * (job.tile.pixels | 1) <= SHARED_FLOATS);
    run_on_cpu(kernel, &job, maps * half_tiles_of_map(pass, job.tile), THREADS);
}

/* There: scaled, transposed, padded with zeros. Back: unscaled, over or to what is there. */
static void convert(int maps, int half_maps, int channels, int pixels, half_type type) {
    enum { GUARD = 0x1234 };
    float scale = 4;
    int floats = maps * channels * pixels, width = half_channels(channels);
    int halves = half_maps * width * pixels;
    float *from = calloc((size_t)floats, sizeof *from), *to = calloc((size_t)floats, sizeof *to);
    float *sum = calloc((size_t)floats, sizeof *sum);
    uint16_t *half = calloc((size_t)halves + 1, sizeof *half);
    half_pass pass = {from, half, maps, half_maps, channels, width, pixels, type, &scale, false};
    draw_floats(from, floats);
    draw_floats(sum, floats);
    memset(half, 0xff, (size_t)halves * sizeof *half);
    half[halves] = GUARD;
    run_pass(to_kernel, &pass, half_maps);
    for (int m = 0; m < half_maps; m++)
        for (int p = 0; p < pixels; p++)
            for (int c = 0; c < width; c++) {
                bool there = m < maps && c < channels;
                float value = there ? 4 * from[(m * channels + c) * pixels + p] : 0;
                assert_int_equal(half[(m * pixels + p) * width + c], half_of(value, type));
            }
    assert_int_equal(half[halves], GUARD);
    for (int adds = 0; adds < 2; adds++) {
        pass.adds = adds;
        pass.floats = adds ? memcpy(to, sum, (size_t)floats * sizeof *to) : to;
        run_pass(from_kernel, &pass, maps);
        for (int i = 0; i < floats; i++) {
            float back = float_of_half(half_of(4 * from[i], type), type) / 4;
            assert_true(to[i] == (adds ? sum[i] + back : back));
        }
    }
    free(from);
    free(to);
    free(sum);
    free(half);
}

static void arrays_are_converted_there_and_back(void **state) {
    (void)state;
    srand(6);
    convert(2, 2, 3, 64, HALF_FLOAT16);    /* images */
    convert(3, 3, 16, 35, HALF_BFLOAT16);  /* of no whole tile */
    convert(1, 1, 40, 100, HALF_FLOAT16);  /* several tiles in both directions */
    convert(5, 8, 3, 9, HALF_FLOAT16);     /* 3x3 weights, filters padded too */
    convert(3, 8, 1100, 1, HALF_BFLOAT16); /* 1x1 weights */
    convert(2, 2, 520, 2, HALF_FLOAT16);   /* the most shared memory */
    convert(1, 1, 8, 1, HALF_FLOAT16);
    convert(2, 2, 9, 1023, HALF_FLOAT16);
}

/* Without a scale, values are what they are. */
static void without_a_scale_nothing_is_scaled(void **state) {
    (void)state;
    float values[] = {1, -2, .5f, 0}, back[4];
    uint16_t halves[8];
    half_pass pass = {values, halves, 1, 1, 4, 8, 1, HALF_FLOAT16, NULL, false};
    run_pass(to_kernel, &pass, 1);
    pass.floats = back;
    run_pass(from_kernel, &pass, 1);
    assert_memory_equal(back, values, sizeof values);
}

/* ---- the loss scale ---- */

static void the_scale_begins_for_a_sum_over_rows(void **state) {
    (void)state;
    assert_true(first_loss_scale(1).scale == 65536);
    assert_true(first_loss_scale(128).scale == 512);
    assert_true(first_loss_scale(129).scale == 256);
    assert_true(first_loss_scale(100000).scale == 1);
}

static void the_scale_follows_the_gradients(void **state) {
    (void)state;
    loss_scale s = first_loss_scale(128);
    s.spoiled = 5;
    step_loss_scale(&s);
    assert_true(s.scale == 256 && s.dropped == 1 && s.good == 0 && !s.spoiled);
    assert_int_equal(s.spoiled_before, 5);
    for (int i = 0; i < LOSS_SCALE_GROWS_AFTER; i++) {
        assert_true(s.scale == 256);
        step_loss_scale(&s);
    }
    assert_true(s.scale == 512 && s.good == 0 && s.dropped == 1);
    step_loss_scale(&s);
    assert_int_equal(s.good, 1);
    s.spoiled = 1;
    step_loss_scale(&s);
    assert_true(s.scale == 256 && s.good == 0 && s.dropped == 2);
}

static void the_scale_has_bounds(void **state) {
    (void)state;
    loss_scale s = {MOST_LOSS_SCALE, LOSS_SCALE_GROWS_AFTER - 1, 0, 0, 0};
    step_loss_scale(&s);
    assert_true(s.scale == MOST_LOSS_SCALE);
    s.scale = 1;
    assert_false(loss_scale_is_exhausted(&s));
    s.spoiled = 1;
    step_loss_scale(&s);
    assert_true(loss_scale_is_exhausted(&s));
}

/* ---- the key ---- */

typedef struct {
    const char *text; /* NULL: the key is not there */
    int adam;
} half_key;

static half_type read_key(half_key key) {
    list *options = make_list();
    if (key.text)
        option_insert(options, strdup("half"), strdup(key.text));
    half_type half = read_half("my.cfg", options, key.adam);
    for (node *n = options->front; n; n = n->next) {
        free(((kvp *)n->val)->key);
        free(((kvp *)n->val)->val);
    }
    free_list_contents(options);
    free_list(options);
    return half;
}

static void read_it(void *key) {
    read_key(*(half_key *)key);
}

static void refuse_key(half_key key, const char *sentence) {
    char line[200];
    snprintf(line, sizeof line, "darknet: my.cfg: [net] half=%s\n", sentence);
    expect_fail(read_it, &key, line);
}

static void the_key_is_read(void **state) {
    (void)state;
    assert_int_equal(read_key((half_key){0}), HALF_NONE);
    assert_int_equal(read_key((half_key){"0", 1}), HALF_NONE);
    assert_int_equal(read_key((half_key){"1", 0}), HALF_FLOAT16);
    assert_int_equal(read_key((half_key){"bfloat16", 1}), HALF_BFLOAT16);
    refuse_key((half_key){"2", 0}, "2 is not 0, 1 or bfloat16");
    refuse_key((half_key){"float16", 0}, "float16 is not 0, 1 or bfloat16");
    refuse_key((half_key){"", 0}, " is not 0, 1 or bfloat16");
    assert_int_equal(read_key((half_key){"1", 1}), HALF_FLOAT16);
}

static void check_layer_type(void *type) {
    layer l = {.type = *(LAYER_TYPE *)type, .update = update_connected_layer};
    check_half("my.cfg", 3, &l, HALF_FLOAT16);
}

/* On the CPU, where half= changes nothing, all goes. A card is named, but not asked. */
static void float16_needs_updates_that_can_be_left_out(void **state) {
    (void)state;
    LAYER_TYPE known = CONVOLUTIONAL, unknown = RNN;
    layer recurrent = {.type = RNN, .update = update_connected_layer};
    check_layer_type(&unknown);
#ifdef GPU
    gpu_index = 0;
    check_layer_type(&known);
    check_half("my.cfg", 3, &recurrent, HALF_BFLOAT16);
    refuse_key((half_key){"1", 1}, "1 does not go with adam=1; half=bfloat16 does");
    expect_fail(check_layer_type, &unknown,
                "my.cfg: [net] half=1 does not go with layer 3, a [rnn]; half=bfloat16 does");
    gpu_index = -1;
#else
    check_layer_type(&known);
    check_half("my.cfg", 3, &recurrent, HALF_BFLOAT16);
#endif
}

#ifdef GPU
typedef struct {
    const struct finite_guard *guard;
    float sum;
} deferred_loss;

static void check_loss(void *loss) {
    const deferred_loss *l = loss;
    finite_guard_check_deferred(l->guard, l->sum);
}

static void a_loss_that_is_not_finite_names_the_key(void **state) {
    (void)state;
    network *net = parse_network_text("[net]\nbatch=2\ninputs=4\nlearning_rate=.5\n"
                                      "[connected]\noutput=2\nactivation=linear\n[softmax]\n");
    deferred_loss nan = {finite_guard_create(net, "my.cfg", false), NAN};
    net->half = HALF_FLOAT16;
    expect_fail(check_loss, &nan, "learning rate 0.5: the loss is NaN; the training stops");
    net->gpu_index = 0; /* which is named, but not asked for a NaN */
    expect_fail(check_loss, &nan, "learning rate 0.5: the loss is NaN; the training stops");
#ifdef CUDNN
    net->layers[0].half = HALF_FLOAT16;
    expect_fail(
        check_loss, &nan,
        "my.cfg: iteration 0, learning rate 0.5: the loss is NaN with half=1, whose float16 "
        "ends at 65504 where half=bfloat16 has the range of float32; the training stops");
#endif
    net->gpu_index = -1;
    finite_guard_free(net->guard);
    free_network(net);
}
#endif

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(what_is_too_large_is_infinite),
        cmocka_unit_test(arrays_are_converted_there_and_back),
        cmocka_unit_test(without_a_scale_nothing_is_scaled),
        cmocka_unit_test(the_scale_begins_for_a_sum_over_rows),
        cmocka_unit_test(the_scale_follows_the_gradients),
        cmocka_unit_test(the_scale_has_bounds),
        cmocka_unit_test(the_key_is_read),
        cmocka_unit_test(float16_needs_updates_that_can_be_left_out),
#ifdef GPU
        cmocka_unit_test(a_loss_that_is_not_finite_names_the_key),
#endif
    };
    return cmocka_run_group_tests_name("half", tests, NULL, NULL);
}
