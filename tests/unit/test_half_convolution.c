/* Convolutions in 16 bits on a GPU, against exact ones, within a bound on what their roundings can
 * do; and trainings with them. Where there is no GPU the bound itself is tested, on roundings made
 * here. test_half_passes.c has the passes on the CPU. */
#include "fail.h"
#include "small_network.h"

#include "expect_fail.h"

#include "exact_convolution.h"
#include "loss_scale_gpu.h"
#include "recipe.h"
#include "step_graph.h"
#include "step_losses.h"
#include "test_device.h"

#include <math.h>

/* ---- the bound itself, on the CPU ---- */

static float rounded(float value, half_type type) {
    return float_of_half(half_of(value, type), type);
}

static void round_all(float *values, size_t count, half_type type) {
    for (size_t i = 0; i < count; i++)
        values[i] = rounded(values[i], type);
}

/* How much of `bound`'s bound sums take that are rounded as `type`. */
static double emulate(half_type type, half_type bound) {
    double worst = 0;
    convolution exact = make_convolution(2, 9, 5, 4, 3, 2), k = make_convolution(2, 9, 5, 4, 3, 2);
    const sums *expected[] = {&exact.y, &exact.dw, &exact.dx};
    sums *all[] = {&k.y, &k.dw, &k.dx};
    round_all(k.x, k.dx.count, type);
    round_all(k.weights, k.dw.count, type);
    round_all(k.dy, k.y.count, type);
    for (int i = 0; i < 3; i++)
        for (size_t at = 0; at < all[i]->count; at++)
            all[i]->exact[at] = all[i]->sizes[at] = 0, all[i]->terms[at] = 0;
    compute_exactly(&k);
    for (int i = 0; i < 3; i++) {
        float *got = calloc(all[i]->count, sizeof *got);
        for (size_t at = 0; at < all[i]->count; at++)
            got[at] = rounded((float)all[i]->exact[at], type);
        worst = fmax(worst, worst_of(expected[i], got, NULL, bound));
        free(got);
    }
    free_convolution(&exact);
    free_convolution(&k);
    return worst;
}

static void the_bound_holds_for_roundings(void **state) {
    (void)state;
    assert_true(emulate(HALF_FLOAT16, HALF_FLOAT16) <= 1);
    assert_true(emulate(HALF_BFLOAT16, HALF_BFLOAT16) <= 1);
}

static void the_bound_finds_what_is_rounded_more(void **state) {
    (void)state;
    assert_true(emulate(HALF_BFLOAT16, HALF_FLOAT16) > 1);
}

/* ---- trainings ---- */

static network *parse_half(const char *half, const char *keys, const char *layers) {
    char *text = format_string("[net]\nbatch=4\nwidth=8\nheight=8\nchannels=3\nmomentum=.9\n"
                               "decay=.001\nlearning_rate=.02\nmax_batches=200\nhalf=%s\n%s\n%s",
                               half, keys, layers);
    srand(9);
    network *net = parse_network_text(text);
    free(text);
    allow_recipe_training(net);
    return net;
}

static const char LAYERS[] =
    "[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=12\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=8\nsize=1\nstride=1\ngroups=2\nactivation=leaky\n"
    "[connected]\noutput=4\nactivation=linear\n[softmax]\n";

static double train_one(network *net) {
    double loss = train_network_datum(net);
    return losses_are_deferred(net) ? take_deferred_losses(net) : loss;
}

static void fill_batch(network *net) {
    draw_floats(net->input, net->batch * net->inputs);
    for (int row = 0; row < net->batch; row++)
        net->truth[row * net->truths + row % net->truths] = 1;
}

/* Four images are learned by heart. */
static void expect_loss_to_fall(network *net, int iterations) {
    double first = train_one(net), last = first;
    for (int i = 1; i < iterations; i++)
        last = train_one(net);
    assert_true(isfinite(first) && last < first / 2);
}

/* What is asked of the trainings in 16 bits is no more than float32 does. */
static void the_loss_falls_in_float32(void **state) {
    (void)state;
    network *net = parse_half("0", "", LAYERS);
    fill_batch(net);
    expect_loss_to_fall(net, 60);
    free_network(net);
}

/* ---- on a GPU ---- */

#if defined GPU && defined CUDNN
/* bfloat16 is not on every card. */
static void skip_without(const char *half) {
    int major;
    check_error(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
    if (!strcmp(half, "bfloat16") && major < 8)
        skip();
}

static loss_scale scale_of(const network *net) {
    loss_scale s;
    check_error(cudaMemcpy(&s, device_loss_scale_of(net), sizeof s, cudaMemcpyDeviceToHost));
    return s;
}

static void set_scale(const network *net, float scale) {
    loss_scale s = {.scale = scale};
    check_error(cudaMemcpy(device_loss_scale_of(net), &s, sizeof s, cudaMemcpyHostToDevice));
}

/* The layer's own passes, between float32 arrays of the test's. */
static void compare_convolution(const char *half, int side, int c, int n, int size, int stride) {
    convolution k = make_convolution(3, side, c, n, size, stride);
    char *text = format_string("[net]\nbatch=3\nwidth=%d\nheight=%d\nchannels=%d\nhalf=%s\n"
                               "[convolutional]\nfilters=%d\nsize=%d\nstride=%d\npad=1\nbias=0\n"
                               "activation=linear\n",
                               side, side, c, half, n, size, stride);
    network *net = parse_network_text(text), at_work = *net;
    layer l = net->layers[0];
    half_type type = (half_type)l.half;
    float *dw = drawn_floats((int)k.dw.count), *dx = drawn_floats((int)k.dx.count);
    float *got_dx = calloc(k.dx.count, sizeof *got_dx);
    memcpy(l.weights, k.weights, k.dw.count * sizeof *l.weights);
    memcpy(l.weight_updates, dw, k.dw.count * sizeof *dw);
    if (type == HALF_FLOAT16)
        set_scale(net, 64); /* the sums stay below 65504 */
    push_convolutional_layer(l);
    cuda_push_array(l.delta_gpu, k.dy, k.y.count);
    cuda_push_array(net->input_gpu, k.x, k.dx.count);
    at_work.delta_gpu = cuda_make_array(dx, k.dx.count);
    l.forward_gpu(l, at_work);
    l.backward_gpu(l, at_work);
    cuda_pull_array(l.output_gpu, l.output, k.y.count);
    cuda_pull_array(at_work.delta_gpu, got_dx, k.dx.count);
    pull_convolutional_layer(l);
    expect_within("output", &k.y, l.output, NULL, type);
    expect_within("gradient of the weights", &k.dw, l.weight_updates, dw, type);
    expect_within("gradient of the input", &k.dx, got_dx, dx, type);
    cuda_free(at_work.delta_gpu);
    free_network(net);
    free_convolution(&k);
    free(dw);
    free(dx);
    free(got_dx);
    free(text);
}

static void compare_convolutions(const char *half) {
    skip_without(half);
    compare_convolution(half, 8, 3, 16, 3, 1);
    compare_convolution(half, 8, 16, 10, 1, 2); /* channels and filters that are padded */
    compare_convolution(half, 15, 5, 12, 7, 2);
    compare_convolution(half, 33, 40, 24, 3, 1);
}

static void train_in(const char *half, const char *keys) {
    skip_without(half);
    network *net = parse_half(half, keys, LAYERS);
    assert_true(net->layers[0].half && net->layers[1].half);
    assert_false(net->layers[2].half); /* has groups */
    if (recipe_keys(net).cuda_graph)
        use_step_graphs(net);
    fill_batch(net);
    expect_loss_to_fall(net, 60);
    free_network(net);
}

/* From a scale at which everything overflows. */
static void recover(const char *keys) {
    enum { TOO_LARGE = 40 };
    network *net = parse_half("1", keys, LAYERS);
    if (recipe_keys(net).cuda_graph)
        use_step_graphs(net);
    layer l = net->layers[0];
    size_t bytes = (size_t)l.nweights * sizeof(float);
    float *before = memcpy(malloc(bytes), l.weights, bytes);
    set_scale(net, ldexpf(1, TOO_LARGE));
    fill_batch(net);
    train_one(net);
    pull_network(net);
    assert_memory_equal(l.weights, before, bytes);
    for (int i = 0; i < l.nweights; i++)
        assert_true(l.weight_updates[i] == 0);
    assert_true(scale_of(net).scale == ldexpf(1, TOO_LARGE - 1));
    expect_loss_to_fall(net, 100);
    loss_scale s = scale_of(net);
    assert_true(s.dropped > 1 && s.dropped < TOO_LARGE && !s.spoiled);
    assert_true(s.scale == ldexpf(1, TOO_LARGE - s.dropped));
    pull_network(net);
    for (int i = 0; i < l.nweights; i++)
        assert_true(isfinite(l.weights[i]) && isfinite(l.weight_updates[i]));
    free(before);
    free_network(net);
}

static void put_scale(state_writer *writer, void *net) {
    put_loss_scale(writer, net);
}

static void keep_scale(void) {
    char path[] = "/tmp/half_XXXXXX", *error;
    network *net = parse_half("1", "", LAYERS), *other = parse_half("1", "", LAYERS);
    close(mkstemp(path));
    set_scale(net, 8);
    assert_null(write_state_file(path, put_scale, net));
    state_file *file = read_state_file(path, &error);
    assert_non_null(file);
    get_loss_scale(file, other);
    assert_true(scale_of(other).scale == 8);
    state_file_free(file);
    unlink(path);
    free_network(net);
    free_network(other);
}
#else
static void compare_convolutions(const char *half) {
    (void)half;
    skip();
}

static void train_in(const char *half, const char *keys) {
    (void)half;
    (void)keys;
    skip();
}

static void recover(const char *keys) {
    (void)keys;
    skip();
}

static void keep_scale(void) {
    skip();
}
#endif

#define GPU_TEST(name, call)                                                                       \
    static void name(void **state) {                                                               \
        use_device(state);                                                                         \
        call;                                                                                      \
    }
GPU_TEST(float16_is_within_its_roundings, compare_convolutions("1"))
GPU_TEST(bfloat16_is_within_its_roundings, compare_convolutions("bfloat16"))
GPU_TEST(training_in_float16, train_in("1", ""))
GPU_TEST(training_in_bfloat16, train_in("bfloat16", ""))
GPU_TEST(training_with_measured_algorithms, train_in("1", "cudnn_benchmark=1\ntf32=0"))
GPU_TEST(training_with_fused_batchnorm, train_in("1", "fused_batchnorm=1"))
GPU_TEST(training_as_graphs, train_in("1", "cuda_graph=1\nnesterov=1"))
GPU_TEST(training_with_fused_batchnorm_as_graphs, train_in("1", "cuda_graph=1\nfused_batchnorm=1"))
GPU_TEST(an_overflow_is_recovered_from, recover(""))
GPU_TEST(an_overflow_with_nesterov, recover("nesterov=1\ndecay_all=1"))
GPU_TEST(an_overflow_in_graphs, recover("cuda_graph=1\nnesterov=1"))
GPU_TEST(the_scale_is_in_the_state_file, keep_scale())

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_holds_for_roundings),
        cmocka_unit_test(the_bound_finds_what_is_rounded_more),
        cmocka_unit_test(the_loss_falls_in_float32),
        ON_GPU(float16_is_within_its_roundings),
        ON_GPU(bfloat16_is_within_its_roundings),
        ON_GPU(training_in_float16),
        ON_GPU(training_in_bfloat16),
        ON_GPU(training_with_measured_algorithms),
        ON_GPU(training_with_fused_batchnorm),
        ON_GPU(an_overflow_is_recovered_from),
        ON_GPU(an_overflow_with_nesterov),
        ON_GPU(the_scale_is_in_the_state_file),
        /* Last, as in test_gpu_twins.c. */
        ON_GPU(training_as_graphs),
        ON_GPU(training_with_fused_batchnorm_as_graphs),
        ON_GPU(an_overflow_in_graphs),
    };
    return cmocka_run_group_tests_name("half_convolution", tests, NULL, NULL);
}
