/* The kernels of [avgpool] with windows and of Nesterov's step, run on the CPU with a thread for
 * each of CUDA's: equal to what the CPU computes, to the bit. */
#include "small_network.h"

#include "expect_fail.h"

#include "cuda_on_cpu.h"

#include "avgpool_blocks.h"
#include "nesterov_blocks.h"

enum { THREADS = 8 };

static void forward_kernel(void *pass) {
    forward_avgpool_kernel(*(avgpool_pass *)pass);
}

static void backward_kernel(void *pass) {
    backward_avgpool_kernel(*(avgpool_pass *)pass);
}

static void step_kernel(void *pass) {
    look_ahead_kernel(*(look_ahead_pass *)pass);
}

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

static void compare_avgpool(int width, int height, int size, int stride, int padding) {
    enum { BATCH = 2, CHANNELS = 3 };
    layer l = make_avgpool_layer(BATCH, width, height, CHANNELS, size, stride, padding);
    int inputs = BATCH * l.inputs, outputs = BATCH * l.outputs;
    network net = {.input = drawn(inputs), .delta = drawn(inputs)};
    float *averages = calloc((size_t)outputs, sizeof *averages);
    float *input_delta = copied(net.delta, inputs);
    avgpool_pass pass = {BATCH * CHANNELS, width,   height,    l.out_w,  l.out_h, size,
                         stride,           padding, net.input, averages, l.delta, input_delta};
    draw_floats(l.delta, outputs);
    l.forward(l, net);
    l.backward(l, net);
    run_on_cpu(forward_kernel, &pass, blocks_for(outputs), THREADS);
    run_on_cpu(backward_kernel, &pass, blocks_for(inputs), THREADS);
    assert_memory_equal(averages, l.output, (size_t)outputs * sizeof(float));
    assert_memory_equal(input_delta, net.delta, (size_t)inputs * sizeof(float));
    free(net.input);
    free(net.delta);
    free(averages);
    free(input_delta);
    free_layer(l);
}

static void windows_are_averaged_as_on_the_cpu(void **state) {
    (void)state;
    srand(4);
    compare_avgpool(6, 6, 2, 2, 0);
    compare_avgpool(7, 5, 3, 1, 0); /* overlapping */
    compare_avgpool(7, 5, 3, 1, 2);
    compare_avgpool(7, 5, 3, 2, 2);
    compare_avgpool(8, 7, 2, 3, 0); /* gaps */
    compare_avgpool(5, 5, 4, 3, 3); /* odd padding */
    compare_avgpool(4, 4, 1, 1, 0);
}

static void nesterovs_step_is_the_cpus(void **state) {
    (void)state;
    enum { COUNT = 37 };
    float *values = drawn(COUNT), *before = drawn(COUNT), *updates = drawn(COUNT);
    float *expected = copied(values, COUNT), *noted = copied(before, COUNT);
    look_ahead_pass pass = {values, before, updates, COUNT - 1, .3f};
    for (int i = 0; i < COUNT - 1; i++)
        look_ahead_of(expected + i, noted + i, updates[i], .3f);
    run_on_cpu(step_kernel, &pass, blocks_for(COUNT), THREADS);
    assert_memory_equal(values, expected, COUNT * sizeof(float)); /* the last is left alone */
    assert_memory_equal(before, noted, COUNT * sizeof(float));
    assert_true(before[0] == updates[0] && before[COUNT - 1] != updates[COUNT - 1]);
    free(values);
    free(before);
    free(updates);
    free(expected);
    free(noted);
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_averaged_as_on_the_cpu),
        cmocka_unit_test(nesterovs_step_is_the_cpus),
    };
    return cmocka_run_group_tests_name("gpu_kernels", tests, NULL, NULL);
}
