/* The kernels that end a layer, bias or batch normalisation with its activation, run on the CPU
 * with a thread for each of CUDA's, against the host's layers there. */
#include "small_network.h"

#include "expect_fail.h"

#include "cuda_on_cpu.h"

#include "batchnorm_blocks.h"
#include "bias_blocks.h"
#include "layer_slope.h"

#include <math.h>

enum { THREADS = 8 };

static const ACTIVATION ACTIVATIONS[] = {LINEAR, RELU, LEAKY};
enum { ACTIVATION_COUNT = 3 };

typedef struct {
    int rows, channels, pixels;
} shape;

static const shape SHAPES[] = {{3, 4, 6}, {1, 1, 25}, {5, 3, 1}, {1, 9, 7}, {2, 19, 1}, {4, 1, 1}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static int blocks_for(int values) {
    return (values + THREADS - 1) / THREADS;
}

static float *drawn(int count) {
    float *floats = calloc((size_t)count, sizeof *floats);
    draw_floats(floats, count);
    return floats;
}

static float *copied(const float *from, int count) {
    return memcpy(calloc((size_t)count, sizeof *from), from, (size_t)count * sizeof *from);
}

static void expect_within(const float *got, const float *expected, int count, float tolerance) {
    for (int i = 0; i < count; i++)
        if (!(fabsf(got[i] - expected[i]) <= tolerance * fmaxf(1, fabsf(expected[i]))))
            fail_msg("[%d] is %.9g, not %.9g", i, got[i], expected[i]);
}

static void expect_close(const float *got, const float *expected, int count) {
    expect_within(got, expected, count, 2e-6f);
}

static void for_all(void (*run)(ACTIVATION, shape)) {
    for (int s = 0; s < SHAPE_COUNT; s++)
        for (int a = 0; a < ACTIVATION_COUNT; a++)
            run(ACTIVATIONS[a], SHAPES[s]);
}

static activation_slope slope_of(ACTIVATION activation) {
    activation_slope slope = SLOPE_LINEAR;
    assert_true(find_slope(activation, &slope));
    return slope;
}

/* ---- bias ---- */

static void forward_bias(void *pass) {
    forward_bias_kernel(*(bias_pass *)pass);
}

static void backward(void *pass) {
    backward_bias_kernel(*(bias_pass *)pass);
}

static void compare_bias(ACTIVATION activation, shape s) {
    int count = s.rows * s.channels * s.pixels;
    float *biases = drawn(s.channels), *updates = drawn(s.channels);
    float *output = drawn(count), *delta = drawn(count);
    float *expected = copied(output, count), *expected_delta = copied(delta, count);
    float *expected_updates = copied(updates, s.channels);
    bias_pass pass = {.biases = biases,
                      .bias_updates = updates,
                      .output = output,
                      .delta = delta,
                      .rows = (unsigned)s.rows,
                      .channels = (unsigned)s.channels,
                      .pixels = (unsigned)s.pixels,
                      .slope = slope_of(activation)};
    run_on_cpu(forward_bias, &pass, blocks_for(count), THREADS);
    add_bias(expected, biases, s.rows, s.channels, s.pixels);
    activate_array(expected, count, activation);
    if (s.pixels == 1) {
        run_on_cpu(backward, &pass, blocks_for(s.channels), THREADS);
        gradient_array(expected, count, activation, expected_delta);
        backward_bias(expected_updates, expected_delta, s.rows, s.channels, s.pixels);
    }
    expect_close(output, expected, count);
    expect_close(delta, expected_delta, count);
    expect_close(updates, expected_updates, s.channels);
    free(biases);
    free(updates);
    free(output);
    free(delta);
    free(expected);
    free(expected_delta);
    free(expected_updates);
}

static void biases_are_the_hosts(void **state) {
    (void)state;
    srand(3);
    for_all(compare_bias);
}

/* ---- rolling statistics ---- */

/* The host adds .000001 to the standard deviation on the CPU, and .00001 to the variance on a GPU;
 * of variances from .1 on that makes so much of a difference. */
static const float TWO_EPSILONS = 1e-4f;

/* As on a GPU. */
static void normalise_by_hand(const rolling_batchnorm_pass *p, ACTIVATION activation, float *to) {
    unsigned count = p->rows * p->channels * p->pixels;
    for (unsigned i = 0; i < count; i++) {
        unsigned channel = i / p->pixels % p->channels;
        double deviation = sqrt((double)p->variance[channel] + .00001);
        to[i] = (float)(((double)p->x[i] - p->mean[channel]) / deviation * p->scales[channel] +
                        p->biases[channel]);
    }
    activate_array(to, (int)count, activation);
}

static void forward_rolling(void *pass) {
    rolling_batchnorm_kernel(*(rolling_batchnorm_pass *)pass);
}

static void compare_rolling(ACTIVATION activation, shape s) {
    int count = s.rows * s.channels * s.pixels;
    layer l = make_batchnorm_layer(s.rows, s.pixels, 1, s.channels);
    network net = {.input = drawn(count)};
    float *output = drawn(count), *x = drawn(count), *expected = drawn(count);
    draw_floats(l.rolling_mean, s.channels);
    draw_floats(l.scales, s.channels);
    draw_floats(l.biases, s.channels);
    for (int i = 0; i < s.channels; i++)
        l.rolling_variance[i] = .1f + fabsf(draw());
    rolling_batchnorm_pass pass = {.x = net.input,
                                   .copy_of_x = x,
                                   .output = output,
                                   .mean = l.rolling_mean,
                                   .variance = l.rolling_variance,
                                   .scales = l.scales,
                                   .biases = l.biases,
                                   .rows = (unsigned)s.rows,
                                   .channels = (unsigned)s.channels,
                                   .pixels = (unsigned)s.pixels,
                                   .slope = slope_of(activation)};
    run_on_cpu(forward_rolling, &pass, blocks_for(count), THREADS);
    forward_batchnorm_layer(l, net);
    activate_array(l.output, count, activation);
    normalise_by_hand(&pass, activation, expected);
    expect_close(output, expected, count);
    expect_within(output, l.output, count, TWO_EPSILONS);
    assert_memory_equal(x, net.input, (size_t)count * sizeof *x);
    memcpy(output, x, (size_t)count * sizeof *x); /* in place, without a copy */
    pass.x = output;
    pass.copy_of_x = NULL;
    run_on_cpu(forward_rolling, &pass, blocks_for(count), THREADS);
    expect_close(output, expected, count);
    free(net.input);
    free(output);
    free(expected);
    free(x);
    free_layer(l);
}

static void rolling_statistics_are_the_hosts(void **state) {
    (void)state;
    srand(4);
    for_all(compare_rolling);
}

static void other_activations_are_the_hosts_own(void **state) {
    (void)state;
    activation_slope slope = SLOPE_LINEAR;
    assert_false(find_slope(LOGISTIC, &slope) || find_slope(ELU, &slope));
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(biases_are_the_hosts),
        cmocka_unit_test(rolling_statistics_are_the_hosts),
        cmocka_unit_test(other_activations_are_the_hosts_own),
    };
    return cmocka_run_group_tests_name("layer_ends", tests, NULL, NULL);
}
