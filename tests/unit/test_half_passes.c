/* The passes of half_convolution.h, and the choice of algorithms for them, run on the CPU: the
 * plugin's own lines, with the kernels' blocks and a cuDNN of three loops in place of the card's.
 * What a convolution gets there must be what cuDNN's manual asks for. The Makefile compiles this
 * file as for a GPU, with the headers of the emulated CUDA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "darknet.h"

#include "convolution_algorithms.c" /* before cmocka.h, which has a fail() too */
#include "half_convolution.c"

#include <cmocka.h>

#include "cuda_on_cpu.h"
#include "half_blocks.h"

static float draw(void) {
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static void draw_floats(float *to, int count) {
    for (int i = 0; i < count; i++)
        to[i] = draw();
}

#include "exact_convolution.h"

enum { THREADS = 8, OWN_BYTES = 1 << 10 };

/* ---- in place of CUDA and of the plugin's other files ---- */

static float scale;

const float *loss_scale_on_device(const network *net) {
    (void)net;
    return scale != 0 ? &scale : NULL;
}

void check_cuda_status(cudaError_t status, const char *file, int line) {
    if (status)
        fail_msg("%s:%d", file, line);
}

void check_cudnn_status(cudnnStatus_t status, const char *file, int line) {
    if (status)
        fail_msg("%s:%d", file, line);
}

static void to_kernel(void *job) {
    to_halves_kernel(*(half_job *)job);
}

static void from_kernel(void *job) {
    from_halves_kernel(*(half_job *)job);
}

cudaError_t launch_to_halves(const half_pass *pass) {
    half_job job = {*pass, half_tile_of(pass)};
    run_on_cpu(to_kernel, &job, pass->half_maps * half_tiles_of_map(pass, job.tile), THREADS);
    return 0;
}

cudaError_t launch_from_halves(const half_pass *pass) {
    half_job job = {*pass, half_tile_of(pass)};
    run_on_cpu(from_kernel, &job, pass->maps * half_tiles_of_map(pass, job.tile), THREADS);
    return 0;
}

/* ---- cuDNN: descriptors ---- */

/* Of images or of filters. */
struct emulated_tensor {
    cudnnDataType_t type;
    cudnnTensorFormat_t format;
    int n, c, h, w;
};

struct emulated_convolution {
    int pad, stride;
    cudnnMathType_t math;
};

cudnnHandle_t cudnn_handle(void) {
    return NULL;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    *d = (struct emulated_tensor){type, format, n, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    *d = (struct emulated_tensor){type, format, k, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) {
    d->math = math;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- cuDNN: algorithms ---- */

/* The first cannot run, the second needs too much, the third is the one. */
enum { CANNOT_RUN, NEEDS_TOO_MUCH, GOOD, ALGORITHMS };

static bool measured;

/* NHWC of 16 bits, with tensor cores. */
static void check_array(const struct emulated_tensor *a, cudnnDataType_t type) {
    assert_int_equal(a->type, type);
    assert_true(type != CUDNN_DATA_FLOAT);
    assert_int_equal(a->format, CUDNN_TENSOR_NHWC);
    assert_int_equal(a->c % 8, 0);
}

static void check_arrays(const struct emulated_tensor *images,
                         const struct emulated_tensor *filters,
                         const struct emulated_convolution *k,
                         const struct emulated_tensor *outputs) {
    check_array(images, images->type);
    check_array(filters, images->type);
    check_array(outputs, images->type);
    assert_int_equal(k->math, CUDNN_TENSOR_OP_MATH);
    assert_int_equal(filters->c, images->c);
    assert_int_equal(filters->n, outputs->c);
    assert_int_equal(images->n, outputs->n);
}

static void list_algorithms(int *count, cudnnConvolutionFwdAlgoPerf_t *results, bool by_time) {
    for (int i = 0; i < ALGORITHMS; i++)
        results[i] = (cudnnConvolutionFwdAlgoPerf_t){i, i == CANNOT_RUN ? CUDNN_STATUS_NOT_SUPPORTED
                                                                        : CUDNN_STATUS_SUCCESS};
    *count = ALGORITHMS;
    measured = by_time;
}

static cudnnStatus_t workspace_of(int algorithm, size_t own, size_t *bytes) {
    *bytes = algorithm == GOOD ? own : (size_t)3 << 30;
    return CUDNN_STATUS_SUCCESS;
}

#define SEARCH(name, first, second, fourth, perf, by_time, images, filters, outputs)               \
    cudnnStatus_t name(cudnnHandle_t handle, first a, second b, cudnnConvolutionDescriptor_t k,    \
                       fourth d, int most, int *count, perf *results) {                            \
        (void)handle;                                                                              \
        assert_true(most >= ALGORITHMS);                                                           \
        check_arrays(images, filters, k, outputs);                                                 \
        list_algorithms(count, results, by_time);                                                  \
        return CUDNN_STATUS_SUCCESS;                                                               \
    }
SEARCH(cudnnFindConvolutionForwardAlgorithm, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t, true, a, b, d)
SEARCH(cudnnGetConvolutionForwardAlgorithm_v7, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t, false, a, b, d)
SEARCH(cudnnFindConvolutionBackwardDataAlgorithm, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgoPerf_t, true, d, a, b)
SEARCH(cudnnGetConvolutionBackwardDataAlgorithm_v7, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgoPerf_t, false,
       d, a, b)
SEARCH(cudnnFindConvolutionBackwardFilterAlgorithm, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgoPerf_t, true,
       a, d, b)
SEARCH(cudnnGetConvolutionBackwardFilterAlgorithm_v7, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgoPerf_t, false,
       a, d, b)

/* The backward passes need more than the forward one. */
#define WORKSPACE(name, first, second, fourth, algorithm, own)                                     \
    cudnnStatus_t name(cudnnHandle_t handle, first a, second b, cudnnConvolutionDescriptor_t k,    \
                       fourth d, algorithm number, size_t *bytes) {                                \
        (void)handle, (void)a, (void)b, (void)k, (void)d;                                          \
        return workspace_of(number, own, bytes);                                                   \
    }
WORKSPACE(cudnnGetConvolutionForwardWorkspaceSize, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
          cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgo_t, OWN_BYTES / 2)
WORKSPACE(cudnnGetConvolutionBackwardDataWorkspaceSize, cudnnFilterDescriptor_t,
          cudnnTensorDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgo_t,
          OWN_BYTES)
WORKSPACE(cudnnGetConvolutionBackwardFilterWorkspaceSize, cudnnTensorDescriptor_t,
          cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgo_t, 0)

/* ---- cuDNN: convolutions ---- */

/* What a product of a convolution adds to. */
typedef enum { TO_OUTPUTS, TO_IMAGES, TO_FILTERS } target;

typedef struct {
    const struct emulated_tensor *images, *filters, *outputs;
    const struct emulated_convolution *k;
    const uint16_t *x, *w, *y; /* NULL: the target */
    double *sums;
    target to;
} small_pass;

static size_t at(const struct emulated_tensor *a, int n, int c, int h, int w) {
    return (((size_t)n * (size_t)a->h + (size_t)h) * (size_t)a->w + (size_t)w) * (size_t)a->c +
           (size_t)c;
}

static size_t count_of(const struct emulated_tensor *a) {
    return (size_t)a->n * (size_t)a->c * (size_t)a->h * (size_t)a->w;
}

static double value(const struct emulated_tensor *a, const uint16_t *halves, size_t i) {
    return float_of_half(halves[i], a->type == CUDNN_DATA_HALF ? HALF_FLOAT16 : HALF_BFLOAT16);
}

static void add_taps(const small_pass *p, int image, int filter, int row, int column) {
    size_t y = at(p->outputs, image, filter, row, column);
    for (int i = 0; i < p->filters->h * p->filters->w * p->images->c; i++) {
        int c = i % p->images->c, tap = i / p->images->c;
        int h = row * p->k->stride - p->k->pad + tap / p->filters->w;
        int w = column * p->k->stride - p->k->pad + tap % p->filters->w;
        if (h < 0 || h >= p->images->h || w < 0 || w >= p->images->w)
            continue;
        size_t x = at(p->images, image, c, h, w);
        size_t f = at(p->filters, filter, c, tap / p->filters->w, tap % p->filters->w);
        if (p->to == TO_OUTPUTS)
            p->sums[y] += value(p->images, p->x, x) * value(p->filters, p->w, f);
        else if (p->to == TO_IMAGES)
            p->sums[x] += value(p->outputs, p->y, y) * value(p->filters, p->w, f);
        else
            p->sums[f] += value(p->images, p->x, x) * value(p->outputs, p->y, y);
    }
}

/* Writes all over its workspace, which must be its own. */
static cudnnStatus_t convolve(small_pass p, const struct emulated_tensor *written, uint16_t *to,
                              int algorithm, void *workspace, size_t bytes, const void *alpha,
                              const void *beta) {
    const void *arrays[] = {p.x, p.w, p.y, to};
    for (int i = 0; i < 4; i++)
        assert_int_equal((uintptr_t)arrays[i] % 16, 0);
    check_arrays(p.images, p.filters, p.k, p.outputs);
    assert_int_equal(algorithm, GOOD);
    assert_int_equal(bytes, OWN_BYTES);
    assert_true(*(const float *)alpha == 1 && *(const float *)beta == 0);
    memset(workspace, 0xff, bytes);
    p.sums = calloc(count_of(written), sizeof *p.sums);
    for (int image = 0; image < p.outputs->n; image++)
        for (int filter = 0; filter < p.outputs->c; filter++)
            for (int i = 0; i < p.outputs->h * p.outputs->w; i++)
                add_taps(&p, image, filter, i / p.outputs->w, i % p.outputs->w);
    for (size_t i = 0; i < count_of(written); i++)
        to[i] = half_of((float)p.sums[i],
                        written->type == CUDNN_DATA_HALF ? HALF_FLOAT16 : HALF_BFLOAT16);
    free(p.sums);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                                      cudnnTensorDescriptor_t images, const void *x,
                                      cudnnFilterDescriptor_t filters, const void *w,
                                      cudnnConvolutionDescriptor_t k,
                                      cudnnConvolutionFwdAlgo_t algorithm, void *workspace,
                                      size_t bytes, const void *beta,
                                      cudnnTensorDescriptor_t outputs, void *y) {
    small_pass p = {images, filters, outputs, k, x, w, NULL, NULL, TO_OUTPUTS};
    (void)handle;
    return convolve(p, outputs, y, algorithm, workspace, bytes, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                                           cudnnFilterDescriptor_t filters, const void *w,
                                           cudnnTensorDescriptor_t outputs, const void *dy,
                                           cudnnConvolutionDescriptor_t k,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void *workspace,
                                           size_t bytes, const void *beta,
                                           cudnnTensorDescriptor_t images, void *dx) {
    small_pass p = {images, filters, outputs, k, NULL, w, dy, NULL, TO_IMAGES};
    (void)handle;
    return convolve(p, images, dx, algorithm, workspace, bytes, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void *alpha,
                                             cudnnTensorDescriptor_t images, const void *x,
                                             cudnnTensorDescriptor_t outputs, const void *dy,
                                             cudnnConvolutionDescriptor_t k,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                             void *workspace, size_t bytes, const void *beta,
                                             cudnnFilterDescriptor_t filters, void *dw) {
    small_pass p = {images, filters, outputs, k, x, NULL, dy, NULL, TO_FILTERS};
    (void)handle;
    return convolve(p, filters, dw, algorithm, workspace, bytes, alpha, beta);
}

/* ---- a layer ---- */

typedef struct {
    struct emulated_tensor src, dst, dsrc, ddst, weights, dweights;
    struct emulated_convolution k;
} descriptors;

static layer layer_of(const convolution *k, descriptors *d, half_type type) {
    layer l = {.batch = k->batch,
               .c = k->c,
               .h = k->h,
               .w = k->w,
               .n = k->n,
               .size = k->size,
               .stride = k->stride,
               .pad = k->pad,
               .out_h = k->out_h,
               .out_w = k->out_w,
               .groups = 1,
               .half = type,
               .strict_float32 = 1, /* is of what stays float32 */
               .srcTensorDesc = &d->src,
               .dstTensorDesc = &d->dst,
               .dsrcTensorDesc = &d->dsrc,
               .ddstTensorDesc = &d->ddst,
               .weightDesc = &d->weights,
               .dweightDesc = &d->dweights,
               .convDesc = &d->k,
               .fw_algo = -1,
               .bf_algo = -1,
               .bd_algo = -1};
    *d = (descriptors){.k = {k->pad, k->stride, CUDNN_DEFAULT_MATH}};
    return l;
}

/* Its passes, with a workspace that is full of NaN. */
static void run_layer(half_type type, float with_scale, convolution k, bool has_delta) {
    descriptors d;
    layer l = layer_of(&k, &d, type);
    float *output = calloc(k.y.count, sizeof *output);
    float *dw = drawn_floats((int)k.dw.count), *dx = drawn_floats((int)k.dx.count);
    float *got_dw = memcpy(malloc(k.dw.count * sizeof *dw), dw, k.dw.count * sizeof *dw);
    float *got_dx = memcpy(malloc(k.dx.count * sizeof *dx), dx, k.dx.count * sizeof *dx);
    scale = with_scale;
    pick_convolution_algorithms(&l, NULL);
    assert_int_equal(d.dst.n, 0); /* batch normalization's */
    assert_int_equal(l.workspace_size, half_copies_bytes(&l) + OWN_BYTES);
    char *workspace = aligned_alloc(ALIGNMENT, l.workspace_size);
    memset(workspace, 0xff, l.workspace_size);
    network net = {
        .workspace = (float *)workspace, .input_gpu = k.x, .delta_gpu = has_delta ? got_dx : NULL};
    l.weights_gpu = k.weights;
    l.weight_updates_gpu = got_dw;
    l.delta_gpu = k.dy;
    forward_half_convolution(&l, &net, output);
    memset(workspace, 0xff, l.workspace_size); /* other layers have used it */
    backward_half_convolution(&l, &net);
    expect_within("output", &k.y, output, NULL, type);
    expect_within("gradient of the weights", &k.dw, got_dw, dw, type);
    if (has_delta)
        expect_within("gradient of the input", &k.dx, got_dx, dx, type);
    else
        assert_memory_equal(got_dx, dx, k.dx.count * sizeof *dx);
    free(output);
    free(dw);
    free(dx);
    free(got_dw);
    free(got_dx);
    free(workspace);
    free_convolution(&k);
}

static void passes_are_within_their_roundings(void **state) {
    (void)state;
    for (int type = HALF_FLOAT16; type <= HALF_BFLOAT16; type++) {
        run_layer((half_type)type, 0, make_convolution(3, 8, 3, 16, 3, 1), true);
        run_layer((half_type)type, 0, make_convolution(2, 7, 16, 10, 1, 2), true);
        run_layer((half_type)type, 0, make_convolution(2, 11, 5, 12, 7, 2), false);
        run_layer((half_type)type, 0, make_convolution(1, 6, 8, 8, 3, 1), true);
    }
}

static void the_scale_is_taken_off_again(void **state) {
    (void)state;
    run_layer(HALF_FLOAT16, 128, make_convolution(3, 8, 3, 16, 3, 1), true);
}

/* Without a scale these deltas are 0 in float16. */
static void small_deltas_need_the_scale(void **state) {
    (void)state;
    convolution k = make_convolution(2, 6, 4, 8, 3, 1);
    for (size_t i = 0; i < k.y.count; i++)
        k.dy[i] *= 0x1p-30f;
    descriptors d;
    layer l = layer_of(&k, &d, HALF_FLOAT16);
    pick_convolution_algorithms(&l, NULL);
    l.weights_gpu = k.weights;
    l.delta_gpu = k.dy;
    l.weight_updates_gpu = calloc(k.dw.count, sizeof(float));
    network net = {.workspace = aligned_alloc(ALIGNMENT, l.workspace_size), .input_gpu = k.x};
    scale = 0;
    backward_half_convolution(&l, &net);
    for (size_t i = 0; i < k.dw.count; i++)
        assert_true(l.weight_updates_gpu[i] == 0);
    scale = 0x1p24f;
    backward_half_convolution(&l, &net);
    for (size_t i = 0; i < k.dw.count; i++)
        l.weight_updates_gpu[i] *= 0x1p30f;
    expect_within("gradient of the weights", &k.dw, l.weight_updates_gpu, NULL, HALF_FLOAT16);
    free(l.weight_updates_gpu);
    free(net.workspace);
    free_convolution(&k);
}

static void an_overflow_shows_in_the_gradient(void **state) {
    (void)state;
    convolution k = make_convolution(2, 6, 4, 8, 3, 1);
    descriptors d;
    layer l = layer_of(&k, &d, HALF_FLOAT16);
    pick_convolution_algorithms(&l, NULL);
    l.weights_gpu = k.weights;
    l.delta_gpu = k.dy;
    l.weight_updates_gpu = calloc(k.dw.count, sizeof(float));
    network net = {.workspace = aligned_alloc(ALIGNMENT, l.workspace_size), .input_gpu = k.x};
    int infinite = 0;
    scale = 0x1p40f;
    backward_half_convolution(&l, &net);
    for (size_t i = 0; i < k.dw.count; i++)
        infinite += !float_is_finite(l.weight_updates_gpu[i]);
    assert_true(infinite > 0);
    free(l.weight_updates_gpu);
    free(net.workspace);
    free_convolution(&k);
}

static void algorithms_are_for_16_bits(void **state) {
    (void)state;
    convolution k = make_convolution(1, 4, 3, 5, 3, 1);
    descriptors d;
    for (int by_time = 0; by_time < 2; by_time++) {
        layer l = layer_of(&k, &d, HALF_BFLOAT16);
        l.cudnn_benchmark = by_time;
        pick_convolution_algorithms(&l, NULL);
        assert_true(measured == (by_time == 1));
        assert_int_equal(l.fw_algo, GOOD);
        assert_int_equal(l.bf_algo, GOOD);
        assert_int_equal(l.bd_algo, GOOD);
        assert_int_equal(d.k.math, CUDNN_TENSOR_OP_MATH);
    }
    free_convolution(&k);
}

static void others_stay_float32(void **state) {
    (void)state;
    layer plain = {.groups = 1}, grouped = {.groups = 2}, binary = {.groups = 1, .binary = 1};
    layer xnor = {.groups = 1, .xnor = 1};
    assert_true(can_be_half(&plain));
    assert_false(can_be_half(&grouped) || can_be_half(&binary) || can_be_half(&xnor));
    assert_int_equal(half_copies_bytes(&plain), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_are_within_their_roundings),
        cmocka_unit_test(the_scale_is_taken_off_again),
        cmocka_unit_test(small_deltas_need_the_scale),
        cmocka_unit_test(an_overflow_shows_in_the_gradient),
        cmocka_unit_test(algorithms_are_for_16_bits),
        cmocka_unit_test(others_stay_float32),
    };
    return cmocka_run_group_tests_name("half_passes", tests, NULL, NULL);
}
