/* Who ends a layer on a GPU, the plugin or the host, and with which arrays: the lines of the seams,
 * with the kernels' blocks run on the CPU. The Makefile compiles this file as for a GPU, with the
 * headers of the emulated CUDA; test_layer_ends.c and test_fused_batchnorm.c have the kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "darknet.h"

#include "fused_batchnorm.c" /* before cmocka.h, which has a fail() too */
#include "layer_ends_gpu.c"

#include <cmocka.h>

#include "cuda_on_cpu.h"

#include "batchnorm_blocks.h"
#include "bias_blocks.h"
#include "fused_batchnorm_blocks.h"

enum { THREADS = 32, ROWS = 3, CHANNELS = 5, SIDE = 6, PIXELS = SIDE * SIDE };
enum { COUNT = ROWS * CHANNELS * PIXELS };

/* ---- in place of CUDA and of the plugin's other files ---- */

static struct fused_batchnorm *batchnorm;
static int launches; /* calls that launch */
static size_t bytes;

struct fused_batchnorm *recipe_batchnorm(const network *net) {
    (void)net;
    return batchnorm;
}

void check_cuda_status(cudaError_t status, const char *file, int line) {
    if (status)
        fail_msg("%s:%d", file, line);
}

cudaError_t cudaMalloc(void **memory, size_t size) {
    bytes = size;
    *memory = calloc(1, size);
    return 0;
}

cudaError_t cudaFree(void *memory) {
    free(memory);
    return 0;
}

#define RUN(kernel, type)                                                                          \
    static void run_##kernel(void *pass) {                                                         \
        kernel(*(type *)pass);                                                                     \
    }
RUN(forward_bias_kernel, bias_pass)
RUN(backward_bias_kernel, bias_pass)
RUN(rolling_batchnorm_kernel, rolling_batchnorm_pass)
RUN(batchnorm_moments_kernel, fused_batchnorm_pass)
RUN(batchnorm_outputs_kernel, fused_batchnorm_pass)
RUN(batchnorm_sums_kernel, fused_batchnorm_pass)
RUN(batchnorm_deltas_kernel, fused_batchnorm_pass)

static cudaError_t launch(void (*kernel)(void *), const void *pass, unsigned blocks) {
    run_on_cpu(kernel, (void *)(uintptr_t)pass, (int)blocks, THREADS);
    return 0;
}

static unsigned blocks_for(unsigned values) {
    return (values + THREADS - 1) / THREADS;
}

cudaError_t launch_forward_bias(const bias_pass *p) {
    launches++;
    return launch(run_forward_bias_kernel, p, blocks_for(p->rows * p->channels * p->pixels));
}

cudaError_t launch_backward_bias(const bias_pass *p) {
    launches++;
    return launch(run_backward_bias_kernel, p, blocks_for(p->channels));
}

cudaError_t launch_rolling_batchnorm(const rolling_batchnorm_pass *p) {
    launches++;
    return launch(run_rolling_batchnorm_kernel, p, blocks_for(p->rows * p->channels * p->pixels));
}

static void expect_room(const fused_batchnorm_pass *p) {
    assert_true((size_t)p->channels * p->split.parts * sizeof *p->parts <= bytes);
    assert_true(p->is_biased); /* as cuDNN, with which this is compiled */
}

cudaError_t launch_forward_fused_batchnorm(const fused_batchnorm_pass *p) {
    launches++;
    expect_room(p);
    launch(run_batchnorm_moments_kernel, p, p->channels * p->split.parts);
    return launch(run_batchnorm_outputs_kernel, p, p->channels * p->split.parts);
}

cudaError_t launch_backward_fused_batchnorm(const fused_batchnorm_pass *p) {
    launches++;
    expect_room(p);
    launch(run_batchnorm_sums_kernel, p, p->channels * p->split.parts);
    return launch(run_batchnorm_deltas_kernel, p, p->channels * p->split.parts);
}

/* ---- a layer and the network around it ---- */

typedef struct {
    layer l;
    network net;
    float x[COUNT], output[COUNT], delta[COUNT], input[COUNT], input_delta[COUNT];
    float parameters[10][CHANNELS];
} scene;

static float draw(void) {
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static void draw_floats(float *to, int count) {
    for (int i = 0; i < count; i++)
        to[i] = draw();
}

/* Everything is drawn; x_norm_gpu is not there, for nobody may touch it. */
static void set_scene(scene *s, LAYER_TYPE type, ACTIVATION activation, bool normalises) {
    srand(5);
    *s = (scene){.l = {.type = type,
                       .activation = activation,
                       .batch_normalize = normalises && type != BATCHNORM,
                       .batch = ROWS,
                       .out_c = CHANNELS,
                       .out_w = SIDE,
                       .out_h = SIDE,
                       .nbiases = type == CONVOLUTIONAL ? CHANNELS : 0}};
    layer *l = &s->l;
    float *all[] = {s->x, s->output, s->delta, s->input, s->input_delta};
    for (int i = 0; i < 5; i++)
        draw_floats(all[i], COUNT);
    draw_floats(s->parameters[0], 10 * CHANNELS);
    for (int c = 0; c < CHANNELS; c++)
        s->parameters[7][c] = 1 + .25f * (float)c;
    float **places[] = {
        &l->biases_gpu, &l->bias_updates_gpu, &l->scales_gpu,       &l->scale_updates_gpu,
        &l->mean_gpu,   &l->variance_gpu,     &l->rolling_mean_gpu, &l->rolling_variance_gpu};
    for (int i = 0; i < 8; i++)
        *places[i] = s->parameters[i];
    l->output_gpu = s->output;
    l->delta_gpu = s->delta;
    l->x_gpu = normalises ? s->x : NULL;
    s->net = (network){.layers = l, .n = 1, .train = 1};
    s->net.input_gpu = s->input;
    s->net.delta_gpu = s->input_delta;
    launches = 0;
}

static void expect_untouched(const scene *s, LAYER_TYPE type, ACTIVATION activation,
                             bool normalises) {
    static scene fresh;
    set_scene(&fresh, type, activation, normalises);
    assert_memory_equal(s->output, fresh.output, sizeof fresh.output);
    assert_memory_equal(s->delta, fresh.delta, sizeof fresh.delta);
    assert_memory_equal(s->x, fresh.x, sizeof fresh.x);
    assert_memory_equal(s->parameters, fresh.parameters, sizeof fresh.parameters);
}

static void with_fused_batchnorm(scene *s) {
    batchnorm = make_fused_batchnorm(&s->net);
    assert_non_null(batchnorm);
}

static void without_fused_batchnorm(void) {
    free_fused_batchnorm(batchnorm);
    batchnorm = NULL;
}

/* Of the first channel, after batch normalisation with these statistics. */
static void expect_normalised(const scene *s, const float *x, float mean, float variance) {
    for (int i = 0; i < PIXELS; i++) {
        float y = (x[i] - mean) / sqrtf(variance + .00001f) * s->l.scales_gpu[0];
        y = activated(y + s->l.biases_gpu[0], s->l.activation == RELU ? SLOPE_RELU : SLOPE_LINEAR);
        assert_true(fabsf(s->output[i] - y) <= 1e-5f);
    }
}

static float mean_of_first_channel(const float *x) {
    double sum = 0;
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < PIXELS; i++)
            sum += x[row * CHANNELS * PIXELS + i];
    return (float)(sum / (ROWS * PIXELS));
}

/* ---- training ---- */

static void fused_layers_are_trained_here(void **state) {
    (void)state;
    static const LAYER_TYPE types[] = {CONVOLUTIONAL, CONNECTED};
    static scene s;
    for (int i = 0; i < 2; i++) {
        set_scene(&s, types[i], RELU, true);
        with_fused_batchnorm(&s);
        float mean = mean_of_first_channel(s.x);
        assert_true(finish_outputs_gpu(&s.l, &s.net));
        assert_true(fabsf(s.l.mean_gpu[0] - mean) <= 1e-6f);
        expect_normalised(&s, s.x, s.l.mean_gpu[0], s.l.variance_gpu[0]);
        float update = s.l.bias_updates_gpu[0], input_delta = s.input_delta[0];
        assert_true(begin_deltas_gpu(&s.l, &s.net));
        assert_true(s.l.bias_updates_gpu[0] != update && s.input_delta[0] == input_delta);
        assert_int_equal(launches, 2);
        without_fused_batchnorm();
    }
}

static void a_layer_of_its_own_reads_and_adds_to_its_input(void **state) {
    (void)state;
    static scene s;
    set_scene(&s, BATCHNORM, LINEAR, true);
    float x = s.x[0], input = s.input[0], input_delta = s.input_delta[0];
    with_fused_batchnorm(&s);
    assert_true(forward_whole_batchnorm_gpu(&s.l, &s.net));
    expect_normalised(&s, s.input, s.l.mean_gpu[0], s.l.variance_gpu[0]);
    assert_true(backward_whole_batchnorm_gpu(&s.l, &s.net));
    assert_true(s.x[0] == x && s.input[0] == input);
    assert_true(s.input_delta[0] == input_delta + s.delta[0]);
    s.net.delta_gpu = NULL; /* it is the first */
    assert_true(backward_whole_batchnorm_gpu(&s.l, &s.net));
    without_fused_batchnorm();
}

/* The host calls the seam of batch normalisation, then its own kernel for the activation. */
static void other_activations_follow(void **state) {
    (void)state;
    static scene s;
    set_scene(&s, CONVOLUTIONAL, LOGISTIC, true);
    with_fused_batchnorm(&s);
    assert_false(finish_outputs_gpu(&s.l, &s.net) || begin_deltas_gpu(&s.l, &s.net));
    expect_untouched(&s, CONVOLUTIONAL, LOGISTIC, true);
    assert_true(forward_whole_batchnorm_gpu(&s.l, &s.net));
    expect_normalised(&s, s.x, s.l.mean_gpu[0], s.l.variance_gpu[0]);
    assert_true(backward_whole_batchnorm_gpu(&s.l, &s.net));
    without_fused_batchnorm();
}

static void expect_left_to_the_host(scene *s, LAYER_TYPE type, ACTIVATION activation,
                                    bool normalises) {
    bool ends = type == CONVOLUTIONAL || type == CONNECTED;
    assert_false(ends && finish_outputs_gpu(&s->l, &s->net));
    assert_false(ends && begin_deltas_gpu(&s->l, &s->net));
    assert_false(normalises && forward_whole_batchnorm_gpu(&s->l, &s->net));
    assert_false(normalises && backward_whole_batchnorm_gpu(&s->l, &s->net));
    assert_int_equal(launches, 0);
    expect_untouched(s, type, activation, normalises);
}

static void what_is_not_fused_is_left_to_the_host(void **state) {
    (void)state;
    static scene s;
    set_scene(&s, CONVOLUTIONAL, RELU, true); /* without the key */
    expect_left_to_the_host(&s, CONVOLUTIONAL, RELU, true);
    set_scene(&s, BATCHNORM, LINEAR, true);
    expect_left_to_the_host(&s, BATCHNORM, LINEAR, true);
    with_fused_batchnorm(&s);
    set_scene(&s, DECONVOLUTIONAL, RELU, true);
    expect_left_to_the_host(&s, DECONVOLUTIONAL, RELU, true);
    layer around = {.type = RNN};
    set_scene(&s, CONNECTED, RELU, true);
    s.net.layers = &around;
    expect_left_to_the_host(&s, CONNECTED, RELU, true);
    without_fused_batchnorm();
}

static void the_memory_is_enough_for_any_batch(void **state) {
    (void)state;
    static scene s;
    set_scene(&s, CONVOLUTIONAL, RELU, true);
    s.l.batch = 1;
    with_fused_batchnorm(&s);
    s.l.batch = ROWS;
    assert_true(finish_outputs_gpu(&s.l, &s.net) && begin_deltas_gpu(&s.l, &s.net));
    without_fused_batchnorm();
    s.net.gpu_index = -1;
    assert_null(make_fused_batchnorm(&s.net));
}

/* ---- inference ---- */

static void rolling_statistics_are_used_here(void **state) {
    (void)state;
    static const LAYER_TYPE types[] = {CONVOLUTIONAL, CONNECTED, BATCHNORM, DECONVOLUTIONAL};
    static scene s, before;
    for (int i = 0; i < 4; i++) {
        ACTIVATION activation = i < 2 ? RELU : LINEAR;
        bool has_x = i < 2;
        set_scene(&s, types[i], activation, true);
        s.net.train = 0;
        before = s;
        assert_int_equal(has_products_in_x(&s.l), has_x);
        assert_true(has_x ? finish_outputs_gpu(&s.l, &s.net)
                          : forward_whole_batchnorm_gpu(&s.l, &s.net));
        const float *x = types[i] == BATCHNORM ? before.input : (has_x ? before.x : before.output);
        assert_memory_equal(s.x, x, sizeof s.x);
        expect_normalised(&s, x, s.l.rolling_mean_gpu[0], s.l.rolling_variance_gpu[0]);
        assert_memory_equal(s.parameters, before.parameters, sizeof s.parameters);
        assert_int_equal(launches, 1);
    }
}

/* ---- biases ---- */

static void biases_are_added_here(void **state) {
    (void)state;
    static scene s, before;
    set_scene(&s, CONVOLUTIONAL, RELU, false);
    before = s;
    assert_false(has_products_in_x(&s.l));
    assert_true(finish_outputs_gpu(&s.l, &s.net));
    assert_false(begin_deltas_gpu(&s.l, &s.net)); /* of several pixels */
    assert_int_equal(launches, 1);
    for (int i = 0; i < PIXELS; i++)
        assert_true(s.output[i] == activated(before.output[i] + s.l.biases_gpu[0], SLOPE_RELU));
    assert_memory_equal(s.delta, before.delta, sizeof s.delta);
}

static void those_of_one_pixel_are_summed_here(void **state) {
    (void)state;
    static scene s, before;
    set_scene(&s, CONNECTED, RELU, false); /* has no nbiases */
    s.l.out_w = s.l.out_h = 1;
    before = s;
    assert_true(begin_deltas_gpu(&s.l, &s.net));
    assert_int_equal(launches, 1);
    float sum = 0;
    for (int row = 0; row < ROWS; row++) {
        float delta =
            before.delta[row * CHANNELS] * slope_at(before.output[row * CHANNELS], SLOPE_RELU);
        assert_true(s.delta[row * CHANNELS] == delta);
        sum += delta;
    }
    assert_true(s.parameters[1][0] == before.parameters[1][0] + sum);
}

static void without_biases_there_is_nothing_to_join(void **state) {
    (void)state;
    static scene s;
    set_scene(&s, CONVOLUTIONAL, RELU, false);
    s.l.nbiases = 0;
    expect_left_to_the_host(&s, CONVOLUTIONAL, RELU, false);
    set_scene(&s, CONNECTED, TANH, false);
    expect_left_to_the_host(&s, CONNECTED, TANH, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_layers_are_trained_here),
        cmocka_unit_test(a_layer_of_its_own_reads_and_adds_to_its_input),
        cmocka_unit_test(other_activations_follow),
        cmocka_unit_test(what_is_not_fused_is_left_to_the_host),
        cmocka_unit_test(the_memory_is_enough_for_any_batch),
        cmocka_unit_test(rolling_statistics_are_used_here),
        cmocka_unit_test(biases_are_added_here),
        cmocka_unit_test(those_of_one_pixel_are_summed_here),
        cmocka_unit_test(without_biases_there_is_nothing_to_join),
    };
    return cmocka_run_group_tests_name("layer_end_passes", tests, NULL, NULL);
}
