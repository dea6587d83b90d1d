/* The kernels of [avgpool] with windows, of Nesterov's step and those that go over the arrays of
 * all layers, run on the CPU with a thread for each of CUDA's: equal to what the CPU computes. The
 * sums over ranks have no twin among the layers, so their kernels also run on a card. */
#include "small_network.h"

#include "expect_fail.h"

#include "cuda_on_cpu.h"

#include "test_device.h"

#include "array_list_blocks.h"
#include "avgpool_blocks.h"
#include "device_list.h"
#include "flat_array_blocks.h"
#include "gpu_status.h"
#include "loss_scale_gpu.h"
#include "nesterov_blocks.h"
#include "row_blocks.h"
#include "shortcut_blocks.h"
#include "network_arrays.h"
#include "network_device.h"
#include "recipe.h"
#include "whole_network_gpu.h"

#include <math.h>

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

/* ---- rows ---- */

static void copy_kernel(void *pass) {
    copy_rows_kernel(*(rows_pass *)pass);
}

static void add_kernel(void *pass) {
    add_rows_kernel(*(rows_pass *)pass);
}

/* One launch does to an input of [route] what the CPU's loop over the rows does. */
static void compare_route(int first, int second) {
    enum { BATCH = 3 };
    int sizes[] = {first, second}, layers[] = {0, 1}, outputs = first + second, at = 0;
    layer inputs[2] = {{0}}, l = {.batch = BATCH, .n = 2, .outputs = outputs};
    network net = {.layers = inputs};
    l.input_sizes = sizes;
    l.input_layers = layers;
    l.output = drawn(BATCH * outputs);
    l.delta = drawn(BATCH * outputs);
    for (int i = 0; i < 2; i++) {
        inputs[i].output = drawn(BATCH * sizes[i]);
        inputs[i].delta = drawn(BATCH * sizes[i]);
    }
    float *output = copied(l.output, BATCH * outputs);
    float *deltas[] = {copied(inputs[0].delta, BATCH * first),
                       copied(inputs[1].delta, BATCH * second)};
    forward_route_layer(l, net);
    backward_route_layer(l, net);
    for (int i = 0; i < 2; i++) {
        size_t size = (size_t)sizes[i], whole = (size_t)outputs;
        rows_pass forward = {inputs[i].output, output + at, BATCH, size, size, whole};
        rows_pass backward = {l.delta + at, deltas[i], BATCH, size, whole, size};
        run_on_cpu(copy_kernel, &forward, blocks_for(BATCH * sizes[i]), THREADS);
        run_on_cpu(add_kernel, &backward, blocks_for(BATCH * sizes[i]), THREADS);
        assert_memory_equal(deltas[i], inputs[i].delta, BATCH * size * sizeof(float));
        at += sizes[i];
    }
    assert_memory_equal(output, l.output, (size_t)(BATCH * outputs) * sizeof(float));
    for (int i = 0; i < 2; i++) {
        free(inputs[i].output);
        free(inputs[i].delta);
        free(deltas[i]);
    }
    free(l.output);
    free(l.delta);
    free(output);
}

static void routes_are_the_cpus(void **state) {
    (void)state;
    compare_route(12, 12);
    compare_route(8, 1);
    compare_route(1, 31);
}

/* ---- shortcuts ---- */

static void forward_sum_kernel(void *pass) {
    forward_shortcut_kernel(*(shortcut_pass *)pass);
}

static void backward_sum_kernel(void *pass) {
    backward_shortcut_kernel(*(shortcut_pass *)pass);
}

static void expect_close(const float *got, const float *expected, int count) {
    for (int i = 0; i < count; i++)
        assert_true(fabsf(got[i] - expected[i]) <= 1e-6f);
}

/* With `itself` the layer before is both inputs. */
static void compare_shortcut(ACTIVATION activation, activation_slope slope, int itself) {
    enum { BATCH = 2, SIDE = 3, CHANNELS = 5, COUNT = BATCH * SIDE * SIDE * CHANNELS };
    layer l = make_shortcut_layer(BATCH, 0, SIDE, SIDE, CHANNELS, SIDE, SIDE, CHANNELS);
    layer other = {.output = drawn(COUNT), .delta = drawn(COUNT)};
    network net = {.layers = &other, .input = drawn(COUNT), .delta = drawn(COUNT)};
    float *input = itself ? other.output : net.input, *delta = itself ? other.delta : net.delta;
    float *own = drawn(COUNT), *output = calloc(COUNT, sizeof *output);
    float *input_delta = copied(delta, COUNT), *other_delta = copied(other.delta, COUNT);
    l.activation = activation;
    l.alpha = .75f;
    l.beta = -.5f;
    memcpy(l.delta, own, COUNT * sizeof *own);
    shortcut_pass pass = {.input = input,
                          .other = other.output,
                          .output = output,
                          .delta = own,
                          .input_delta = itself ? other_delta : input_delta,
                          .other_delta = other_delta,
                          .count = COUNT,
                          .alpha = l.alpha,
                          .beta = l.beta,
                          .slope = slope};
    run_on_cpu(forward_sum_kernel, &pass, blocks_for(COUNT), THREADS);
    run_on_cpu(backward_sum_kernel, &pass, blocks_for(COUNT), THREADS);
    network seen = net;
    seen.input = input;
    seen.delta = delta;
    forward_shortcut_layer(l, seen);
    backward_shortcut_layer(l, seen);
    expect_close(output, l.output, COUNT);
    expect_close(own, l.delta, COUNT);
    expect_close(pass.input_delta, delta, COUNT);
    expect_close(other_delta, other.delta, COUNT);
    free(net.input);
    free(net.delta);
    free(other.output);
    free(other.delta);
    free(own);
    free(output);
    free(input_delta);
    free(other_delta);
    free_layer(l);
}

static void shortcuts_are_the_cpus(void **state) {
    (void)state;
    for (int itself = 0; itself < 2; itself++) {
        compare_shortcut(LINEAR, SLOPE_LINEAR, itself);
        compare_shortcut(RELU, SLOPE_RELU, itself);
        compare_shortcut(LEAKY, SLOPE_LEAKY, itself);
    }
}

/* ---- arrays of all layers ---- */

static void update_kernel(void *pass) {
    update_arrays_kernel(*(update_pass *)pass);
}

static void numbers_kernel(void *pass) {
    set_update_numbers_kernel(*(numbers_pass *)pass);
}

static void check_kernel(void *pass) {
    check_gradients_kernel(*(update_pass *)pass);
}

static void step_kernel_of_scale(void *scale) {
    step_loss_scale_kernel(scale);
}

static void clear_kernel(void *pass) {
    clear_arrays_kernel(*(clear_pass *)pass);
}

enum { ARRAYS = 7, MOST_ARRAYS = 64 };
static const size_t COUNTS[ARRAYS] = {1, 0, BLOCK_FLOATS, BLOCK_FLOATS + 1, 0, 5, 3 * BLOCK_FLOATS};

/* Every float belongs to one block, in order. */
static void blocks_cover_the_arrays(void **state) {
    (void)state;
    unsigned first_blocks[ARRAYS + 1];
    size_t seen[ARRAYS] = {0};
    lay_out_blocks(COUNTS, sizeof *COUNTS, ARRAYS, first_blocks);
    assert_int_equal(first_blocks[ARRAYS], 1 + 0 + 1 + 2 + 0 + 1 + 3);
    for (unsigned block = 0; block < first_blocks[ARRAYS]; block++) {
        int array = array_of_block(first_blocks, ARRAYS, block);
        float_range range = range_of_block(block - first_blocks[array], COUNTS[array]);
        assert_int_equal(range.from, seen[array]);
        assert_true(range.to > range.from && range.to <= COUNTS[array]);
        seen[array] = range.to;
    }
    assert_memory_equal(seen, COUNTS, sizeof seen);
}

static void arrays_are_cleared_and_nothing_else(void **state) {
    (void)state;
    float_array arrays[ARRAYS];
    unsigned first_blocks[ARRAYS + 1];
    clear_pass pass = {arrays, first_blocks, ARRAYS};
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i] = (float_array){drawn((int)COUNTS[i] + 1), COUNTS[i]};
        arrays[i].floats[COUNTS[i]] = 3;
    }
    lay_out_blocks(&arrays->count, sizeof *arrays, ARRAYS, first_blocks);
    run_on_cpu(clear_kernel, &pass, (int)first_blocks[ARRAYS], THREADS);
    for (int i = 0; i < ARRAYS; i++) {
        for (size_t at = 0; at < COUNTS[i]; at++)
            assert_true(arrays[i].floats[at] == 0);
        assert_true(arrays[i].floats[COUNTS[i]] == 3);
        free(arrays[i].floats);
    }
}

/* ---- arrays in a flat buffer ---- */

enum { FROM = 2 }; /* the first array of a launch */

typedef struct {
    placed_array arrays[ARRAYS]; /* with a float after each of them, here and in `flat` */
    unsigned first_blocks[ARRAYS + 1];
    float *flat; /* (floats) */
    size_t floats;
} flat_arrays;

static flat_arrays draw_flat_arrays(void) {
    flat_arrays f = {0};
    srand(5);
    for (int i = 0; i < ARRAYS; i++) {
        f.arrays[i] = (placed_array){drawn((int)COUNTS[i] + 1), COUNTS[i], f.floats, i % 2 ? 1 : 4};
        f.floats += COUNTS[i] + 1;
    }
    lay_out_blocks(&f.arrays->count, sizeof *f.arrays, ARRAYS, f.first_blocks);
    f.flat = drawn((int)f.floats);
    return f;
}

static void free_flat_arrays(flat_arrays *f) {
    for (int i = 0; i < ARRAYS; i++)
        free(f->arrays[i].floats);
    free(f->flat);
}

static void gather_kernel(void *pass) {
    gather_arrays_kernel(*(flat_pass *)pass);
}

static void scatter_kernel(void *pass) {
    scatter_arrays_kernel(*(flat_pass *)pass);
}

static void pass_on_cpu(flat_arrays *f, bool gathers) {
    flat_pass pass = {f->arrays, f->first_blocks, ARRAYS, f->first_blocks[FROM], f->flat};
    unsigned blocks = f->first_blocks[ARRAYS] - pass.first_block;
    run_on_cpu(gathers ? gather_kernel : scatter_kernel, &pass, (int)blocks, THREADS);
}

static void pass_on_card(flat_arrays *f, bool gathers) {
    (void)f, (void)gathers;
#ifdef GPU
    placed_array arrays[ARRAYS];
    float *flat = cuda_make_array(f->flat, f->floats);
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i] = f->arrays[i];
        arrays[i].floats = cuda_make_array(f->arrays[i].floats, COUNTS[i] + 1);
    }
    device_list list = make_device_list(arrays, sizeof *arrays, ARRAYS, &arrays->count);
    flat_pass pass = {list.arrays, list.first_blocks, list.count, f->first_blocks[FROM], flat};
    unsigned blocks = list.blocks - pass.first_block;
    check_error(gathers ? launch_gather_arrays(&pass, blocks)
                        : launch_scatter_arrays(&pass, blocks));
    cuda_pull_array(flat, f->flat, f->floats);
    cuda_free(flat);
    for (int i = 0; i < ARRAYS; i++) {
        cuda_pull_array(arrays[i].floats, f->arrays[i].floats, COUNTS[i] + 1);
        cuda_free(arrays[i].floats);
    }
    drop_device_list(&list);
#endif
}

/* What a pass has to leave. */
static void copy_by_hand(flat_arrays *f, bool gathers) {
    for (int i = FROM; i < ARRAYS; i++)
        for (size_t at = 0; at < COUNTS[i]; at++) {
            float *placed = &f->flat[f->arrays[i].at + at];
            if (gathers)
                *placed = f->arrays[i].floats[at];
            else
                f->arrays[i].floats[at] = *placed / f->arrays[i].divisor;
        }
}

static void arrays_go_to_their_places_and_back(void **state) {
    use_device(state);
    for (int gathers = 0; gathers < 2; gathers++) {
        flat_arrays f = draw_flat_arrays(), expected = draw_flat_arrays();
        if (*state == on_gpu)
            pass_on_card(&f, gathers);
        else
            pass_on_cpu(&f, gathers);
        copy_by_hand(&expected, gathers);
        assert_memory_equal(f.flat, expected.flat, f.floats * sizeof(float));
        for (int i = 0; i < ARRAYS; i++)
            assert_memory_equal(f.arrays[i].floats, expected.arrays[i].floats,
                                (COUNTS[i] + 1) * sizeof(float));
        free_flat_arrays(&f);
        free_flat_arrays(&expected);
    }
}

/* ---- updates ---- */

static const char UPDATED[] =
    "[net]\nbatch=4\nwidth=6\nheight=6\nchannels=3\nmomentum=.9\ndecay=.01\nlearning_rate=.2\n%s\n"
    "[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=linear\nlearning_rate=.5\n"
    "[batchnorm]\n"
    "[local]\nfilters=2\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[deconvolutional]\nbatch_normalize=1\nfilters=2\nsize=2\nstride=2\nactivation=linear\n"
    "[connected]\nbatch_normalize=1\noutput=5\nactivation=linear\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n";

/* Arrays that it has. */
enum { PARAMETERS = 3 + 2 + 2 + 2 + 3 + 3 + 2 };

static network *parse_updated(const char *keys) {
    char text[2000];
    snprintf(text, sizeof text, UPDATED, keys);
    srand(8);
    network *net = parse_network_text(text);
    give_layers_back(net);
    allow_recipe_training(net);
    begin_recipe_step(net);
    return net;
}

/* What all updates of some arrays have in common, as a graph would have captured it. */
typedef struct {
    unsigned first_blocks[MOST_ARRAYS + 1];
    update_numbers numbers;
    update_pass pass;
} captured_update;

/* `scale` as in an update_pass. */
static void capture_update(captured_update *u, updated_array *arrays, int count,
                           loss_scale *scale) {
    lay_out_blocks(&arrays->count, sizeof *arrays, count, u->first_blocks);
    u->pass = (update_pass){.arrays = arrays,
                            .first_blocks = u->first_blocks,
                            .count = count,
                            .numbers = &u->numbers,
                            .scale = scale};
}

static void launch_update(captured_update *u, const network *net, float rate) {
    int blocks = (int)u->first_blocks[u->pass.count];
    numbers_pass set = {&u->numbers,
                        {.learning_rate = rate,
                         .decay = net->decay,
                         .momentum = net->momentum,
                         .batch = (float)(net->batch * net->subdivisions)}};
    run_on_cpu(numbers_kernel, &set, 1, 1);
    if (u->pass.scale)
        run_on_cpu(check_kernel, &u->pass, blocks, THREADS);
    run_on_cpu(update_kernel, &u->pass, blocks, THREADS);
    if (u->pass.scale)
        run_on_cpu(step_kernel_of_scale, u->pass.scale, 1, 1);
}

static void run_update(const network *net, updated_array *arrays, int count, float rate,
                       loss_scale *scale) {
    captured_update u;
    capture_update(&u, arrays, count, scale);
    launch_update(&u, net, rate);
}

static float clipped(float value, float clip) {
    return clip != 0 ? fminf(clip, fmaxf(-clip, value)) : value;
}

/* The host clips on a GPU alone. */
static void compare_arrays(const char *keys, const updated_array *got, const updated_array *host) {
    for (size_t i = 0; i < got->count; i++) {
        float expected = clipped(host->values[i], got->clip);
        bool good =
            fabsf(got->values[i] - expected) <= 1e-6f * fmaxf(1, fabsf(expected)) &&
            fabsf(got->updates[i] - host->updates[i]) <= 1e-6f * fmaxf(1, fabsf(host->updates[i]));
        if (!good)
            fail_msg("%s: layer %d, parameter %zu: %g, update %g; the host has %g, update %g", keys,
                     got->layer, i, got->values[i], got->updates[i], expected, host->updates[i]);
    }
}

/* All that may change from one iteration to the next does. */
static void change_numbers(network *net, int iteration) {
    net->learning_rate = .2f / (float)(1 + iteration);
    net->decay = .01f * (float)(1 + iteration);
    net->momentum = .9f - .1f * (float)iteration;
    net->subdivisions = 1 + iteration;
}

static void update_beside_the_host(const char *keys, int iterations) {
    captured_update captured;
    network *net = parse_updated(keys), *host = parse_updated(keys);
    updated_array arrays[MOST_ARRAYS], of_host[MOST_ARRAYS];
    int count = list_updated_arrays(net, net->decay_all, arrays);
    assert_int_equal(count, PARAMETERS);
    assert_int_equal(list_updated_arrays(host, host->decay_all, of_host), count);
    capture_update(&captured, arrays, count, NULL);
    for (int iteration = 0; iteration < iterations; iteration++) {
        change_numbers(net, iteration);
        change_numbers(host, iteration);
        for (int i = 0; i < count; i++)
            for (size_t at = 0; at < arrays[i].count; at++) {
                float gradient = draw();
                arrays[i].updates[at] += gradient;
                of_host[i].updates[at] += gradient;
            }
        launch_update(&captured, net, net->learning_rate);
        update_network(host);
        for (int i = 0; i < count; i++)
            compare_arrays(keys, &arrays[i], &of_host[i]);
    }
    free_network(net);
    free_network(host);
}

static void parameters_are_updated_as_by_the_host(void **state) {
    (void)state;
    update_beside_the_host("", 4);
    update_beside_the_host("decay_all=1", 4);
    update_beside_the_host("nesterov=1", 4);
    update_beside_the_host("nesterov=1\ndecay_all=1", 4);
    update_beside_the_host("clip=.05", 1);
}

static void others_are_left_to_the_host(void **state) {
    (void)state;
    updated_array arrays[MOST_ARRAYS];
    network *net = parse_updated("adam=1");
    assert_int_equal(list_updated_arrays(net, net->decay_all, arrays), -1);
    free_network(net);
    net = parse_network_text("[net]\nbatch=2\ninputs=4\ntime_steps=2\n[rnn]\nhidden=3\noutput=2\n"
                             "activation=linear\n[softmax]\n");
    assert_int_equal(list_updated_arrays(net, net->decay_all, arrays), -1);
    free_network(net);
}

/* ---- updates that are left out ---- */

typedef struct {
    network *net;
    updated_array arrays[MOST_ARRAYS];
    int count;
    loss_scale *scale; /* on a GPU a copy of the device's; NULL: no update is left out */
} trained;

static trained train_with(const char *keys, loss_scale *scale) {
    trained t = {.net = parse_updated(keys), .scale = scale};
    t.count = list_updated_arrays(t.net, t.net->decay_all, t.arrays);
    assert_int_equal(t.count, PARAMETERS);
    if (scale && is_on_gpu(t.net)) {
        t.net->half = HALF_FLOAT16; /* of no layer, so that cuDNN is not needed */
        t.net->loss_scale = make_device_loss_scale(t.net);
        begin_half_step(t.net);
    }
    for (int i = 0; i < t.count && scale && !is_on_gpu(t.net); i++) {
        updated_array *a = &t.arrays[i];
        a->kept = a->before ? a->before : copied(a->updates, (int)a->count);
    }
    return t;
}

static void free_trained(trained *t) {
    for (int i = 0; i < t->count; i++) /* on a GPU they are the network's */
        if (t->arrays[i].kept != t->arrays[i].before)
            free(t->arrays[i].kept);
    free_network(t->net);
}

/* What is where the network computes; the caller frees it. */
static float *pulled(const trained *t, float *floats, size_t count) {
#ifdef GPU
    if (is_on_gpu(t->net)) {
        float *copy = calloc(count, sizeof *copy);
        cuda_pull_array(floats, copy, count);
        return copy;
    }
#endif
    (void)t;
    return copied(floats, (int)count);
}

static void push(const trained *t, float *to, float *from, size_t count) {
#ifdef GPU
    if (is_on_gpu(t->net)) {
        cuda_push_array(to, from, count);
        return;
    }
#endif
    (void)t;
    memcpy(to, from, count * sizeof *to);
}

typedef struct {
    int array;
    size_t at;
    float gradient;
} bad_gradient;

/* Accepts no bad one. */
static void add_gradients(const trained *t, unsigned seed, const bad_gradient *bad) {
    srand(seed);
    for (int i = 0; i < t->count; i++) {
        const updated_array *a = &t->arrays[i];
        float *updates = pulled(t, a->updates, a->count);
        for (size_t at = 0; at < a->count; at++)
            updates[at] += draw();
        if (bad && bad->array == i)
            updates[bad->at] += bad->gradient;
        push(t, a->updates, updates, a->count);
        free(updates);
    }
}

#ifdef GPU
static void update_on_gpu(const trained *t) {
    network *net = t->net;
    update_args a = {.batch = net->batch * net->subdivisions,
                     .learning_rate = .2f,
                     .momentum = net->momentum,
                     .decay = net->decay};
    assert_true(update_whole_network_gpu(net, a));
    if (t->scale)
        check_error(cudaMemcpy(t->scale, device_loss_scale_of(net), sizeof *t->scale,
                               cudaMemcpyDeviceToHost));
}
#endif

static void update(trained *t) {
#ifdef GPU
    if (is_on_gpu(t->net)) {
        update_on_gpu(t);
        return;
    }
#endif
    run_update(t->net, t->arrays, t->count, .2f, t->scale);
}

static void expect_equal_floats(const trained *a, float *of_a, const trained *b, float *of_b,
                                size_t count) {
    float *got = pulled(a, of_a, count), *expected = pulled(b, of_b, count);
    assert_memory_equal(got, expected, count * sizeof *got);
    free(got);
    free(expected);
}

static void expect_equal(const trained *a, const trained *b) {
    for (int i = 0; i < a->count; i++) {
        const updated_array *of_a = &a->arrays[i], *of_b = &b->arrays[i];
        expect_equal_floats(a, of_a->values, b, of_b->values, of_a->count);
        expect_equal_floats(a, of_a->updates, b, of_b->updates, of_a->count);
    }
}

/* A training with an iteration that has this gradient is the one without the iteration. */
static void leave_out_one(const char *keys, bad_gradient bad) {
    enum { BAD = 2, ITERATIONS = 4 };
    loss_scale scale = first_loss_scale(4);
    trained with = train_with(keys, &scale), without = train_with(keys, NULL);
    for (int i = 0; i < ITERATIONS; i++) {
        add_gradients(&with, (unsigned)i, i == BAD ? &bad : NULL);
        update(&with);
        assert_int_equal(scale.dropped, i >= BAD);
        assert_int_equal(scale.spoiled_before, i < BAD ? 0 : with.arrays[bad.array].layer + 1);
        if (i != BAD) {
            add_gradients(&without, (unsigned)i, NULL);
            update(&without);
        }
        expect_equal(&with, &without);
    }
    assert_true(scale.scale == first_loss_scale(4).scale / 2 && scale.good == ITERATIONS - BAD - 1);
    free_trained(&with);
    free_trained(&without);
}

static void updates_that_are_not_finite_are_left_out(void **state) {
    use_device(state);
    leave_out_one("", (bad_gradient){0, 0, NAN});
    leave_out_one("", (bad_gradient){0, 16 * 27 - 1, INFINITY});
    leave_out_one("nesterov=1", (bad_gradient){5, 1, -INFINITY});
    leave_out_one("nesterov=1\ndecay_all=1", (bad_gradient){16, 2, NAN});
}

static void the_highest_layer_at_fault_is_noted(void **state) {
    (void)state;
    loss_scale scale = first_loss_scale(4);
    trained t = train_with("", &scale);
    t.arrays[0].updates[0] = t.arrays[PARAMETERS - 1].updates[0] = t.arrays[3].updates[0] = NAN;
    run_update(t.net, t.arrays, t.count, .2f, &scale);
    assert_int_equal(scale.spoiled_before, t.arrays[PARAMETERS - 1].layer + 1);
    free_trained(&t);
}

static void deltas_are_those_of_the_layers(void **state) {
    (void)state;
    network *net = parse_updated("");
    float_array deltas[MOST_ARRAYS];
    assert_int_equal(list_deltas(net, deltas), net->n);
    for (int i = 0; i < net->n; i++) {
        assert_ptr_equal(deltas[i].floats, net->layers[i].delta);
        assert_int_equal(deltas[i].count, 4 * net->layers[i].outputs);
    }
    set_batch_network(net, 1);
    assert_int_equal(list_deltas(net, deltas), net->n);
    assert_int_equal(deltas[0].count, net->layers[0].outputs);
    free_network(net);
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_averaged_as_on_the_cpu),
        cmocka_unit_test(nesterovs_step_is_the_cpus),
        cmocka_unit_test(routes_are_the_cpus),
        cmocka_unit_test(shortcuts_are_the_cpus),
        cmocka_unit_test(blocks_cover_the_arrays),
        cmocka_unit_test(arrays_are_cleared_and_nothing_else),
        cmocka_unit_test(parameters_are_updated_as_by_the_host),
        cmocka_unit_test(others_are_left_to_the_host),
        cmocka_unit_test(the_highest_layer_at_fault_is_noted),
        cmocka_unit_test(deltas_are_those_of_the_layers),
        ON_BOTH(arrays_go_to_their_places_and_back),
        ON_BOTH(updates_that_are_not_finite_are_left_out),
    };
    return cmocka_run_group_tests_name("gpu_kernels", tests, NULL, NULL);
}
