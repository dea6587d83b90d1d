/* cuDNN's convolutions, of any type and format, by loops over float32. Of its algorithms the first
 * listed cannot run, and each of the others wants a workspace of another size, which is filled
 * with NaNs: so two that share one show. */
#include "dnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANNOT_RUN, LARGE, SMALL, ALGORITHMS };

/* The shape of a convolution, checked. */
typedef struct {
    struct emulated_tensor x, w, y;
    struct emulated_convolution k;
} shape;

static bool make_shape(shape *s, const struct emulated_tensor *x, const struct emulated_tensor *w,
                       const struct emulated_convolution *k, const struct emulated_tensor *y) {
    *s = (shape){*x, *w, *y, *k};
    return x->n == y->n && w->n == y->c && w->c * k->groups == x->c && w->n % k->groups == 0 &&
           (x->h + 2 * k->pad - w->h) / k->stride + 1 == y->h &&
           (x->w + 2 * k->pad - w->w) / k->stride + 1 == y->w && x->type == w->type &&
           x->type == y->type && x->format == w->format && x->format == y->format;
}

/* ---- algorithms ---- */

static bool can_run(const shape *s, int algorithm) {
    /* cuDNN: NHWC wants tensor cores, which want eight channels at a time. */
    bool has_channels = s->x.format == CUDNN_TENSOR_NCHW || (s->x.c % 8 == 0 && s->y.c % 8 == 0);
    return has_channels && algorithm != CANNOT_RUN && algorithm >= 0 && algorithm < ALGORITHMS;
}

static size_t workspace_of(const shape *s, int algorithm) {
    return algorithm == LARGE ? 1000 + tensor_count(&s->w) : 24;
}

/* The three passes' results have one layout. */
static cudnnStatus_t list_algorithms(const shape *s, int most, int *count,
                                     cudnnConvolutionFwdAlgoPerf_t *results) {
    *count = most < ALGORITHMS ? most : ALGORITHMS;
    for (int i = 0; i < *count; i++)
        results[i] = (cudnnConvolutionFwdAlgoPerf_t){
            .algo = i,
            .status = can_run(s, i) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED,
            .memory = workspace_of(s, i),
            .mathType = s->k.math};
    return CUDNN_STATUS_SUCCESS;
}

#define SEARCH(name, first, second, fourth, perf, x, w, y)                                         \
    cudnnStatus_t name(cudnnHandle_t handle, first a, second b, cudnnConvolutionDescriptor_t k,    \
                       fourth c, int most, int *count, perf *results) {                            \
        shape s;                                                                                   \
        if (!handle || !make_shape(&s, x, w, k, y))                                                \
            return CUDNN_STATUS_BAD_PARAM;                                                         \
        return list_algorithms(&s, most, count, results);                                          \
    }
SEARCH(cudnnFindConvolutionForwardAlgorithm, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t, a, b, c)
SEARCH(cudnnGetConvolutionForwardAlgorithm_v7, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t, a, b, c)
SEARCH(cudnnFindConvolutionBackwardDataAlgorithm, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgoPerf_t, c, a, b)
SEARCH(cudnnGetConvolutionBackwardDataAlgorithm_v7, cudnnFilterDescriptor_t,
       cudnnTensorDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgoPerf_t, c, a, b)
SEARCH(cudnnFindConvolutionBackwardFilterAlgorithm, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgoPerf_t, a, c,
       b)
SEARCH(cudnnGetConvolutionBackwardFilterAlgorithm_v7, cudnnTensorDescriptor_t,
       cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgoPerf_t, a, c,
       b)

#define WORKSPACE(name, first, second, fourth, algorithm_type, x, w, y)                            \
    cudnnStatus_t name(cudnnHandle_t handle, first a, second b, cudnnConvolutionDescriptor_t k,    \
                       fourth c, algorithm_type algorithm, size_t *bytes) {                        \
        shape s;                                                                                   \
        if (!handle || !make_shape(&s, x, w, k, y))                                                \
            return CUDNN_STATUS_BAD_PARAM;                                                         \
        if (!can_run(&s, algorithm))                                                               \
            return CUDNN_STATUS_NOT_SUPPORTED;                                                     \
        *bytes = workspace_of(&s, algorithm);                                                      \
        return CUDNN_STATUS_SUCCESS;                                                               \
    }
WORKSPACE(cudnnGetConvolutionForwardWorkspaceSize, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
          cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgo_t, a, b, c)
WORKSPACE(cudnnGetConvolutionBackwardDataWorkspaceSize, cudnnFilterDescriptor_t,
          cudnnTensorDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionBwdDataAlgo_t, c, a, b)
WORKSPACE(cudnnGetConvolutionBackwardFilterWorkspaceSize, cudnnTensorDescriptor_t,
          cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnConvolutionBwdFilterAlgo_t, a, c,
          b)

/* ---- passes ---- */

typedef enum { TO_OUTPUTS, TO_IMAGES, TO_FILTERS } target;

typedef struct {
    shape s;
    target to;
    float alpha, beta;
    void *x, *w, *y; /* on the device; the target's is written */
    void *workspace;
    size_t bytes;
} pass;

/* The same, as floats in the order n, c, h, w. */
typedef struct {
    float *x, *w, *y;
} floats;

static const float *row_of(const struct emulated_tensor *t, const float *values, int n, int c,
                           int h) {
    return values +
           (((size_t)n * (size_t)t->c + (size_t)c) * (size_t)t->h + (size_t)h) * (size_t)t->w;
}

/* A row of outputs, its row of images, and one weight between them, at column `kx`. */
static void add_row(const pass *p, const float *x, const float *weight, const float *y, int kx) {
    const shape *s = &p->s;
    float *to_x = (float *)(size_t)x, *to_w = (float *)(size_t)weight, *to_y = (float *)(size_t)y;
    float sum = 0;
    for (int column = 0; column < s->y.w; column++) {
        int at = column * s->k.stride - s->k.pad + kx;
        if (at < 0 || at >= s->x.w)
            continue;
        if (p->to == TO_OUTPUTS)
            to_y[column] += x[at] * *weight;
        else if (p->to == TO_IMAGES)
            to_x[at] += y[column] * *weight;
        else
            sum += x[at] * y[column];
    }
    if (p->to == TO_FILTERS)
        *to_w += sum;
}

static void add_rows(const pass *p, const floats *f, int n, int out, int in) {
    const shape *s = &p->s;
    int channel = out / (s->y.c / s->k.groups) * s->w.c + in;
    for (int row = 0; row < s->y.h; row++)
        for (int ky = 0; ky < s->w.h; ky++) {
            int at = row * s->k.stride - s->k.pad + ky;
            for (int kx = 0; at >= 0 && at < s->x.h && kx < s->w.w; kx++)
                add_row(p, row_of(&s->x, f->x, n, channel, at),
                        row_of(&s->w, f->w, out, in, ky) + kx, row_of(&s->y, f->y, n, out, row),
                        kx);
        }
}

static void add_all(const pass *p, const floats *f) {
    for (int n = 0; n < p->s.x.n; n++)
        for (int out = 0; out < p->s.y.c; out++)
            for (int in = 0; in < p->s.w.c; in++)
                add_rows(p, f, n, out, in);
}

static float *source_or_zeros(const pass *p, target own, const struct emulated_tensor *t,
                              const void *values) {
    if (p->to != own)
        return read_tensor(t, values);
    return zeroed(tensor_count(t) * sizeof(float));
}

static void run_pass(void *arguments) {
    const pass *p = arguments;
    const shape *s = &p->s;
    memset(p->workspace, 0xff, p->bytes);
    floats f = {source_or_zeros(p, TO_IMAGES, &s->x, p->x),
                source_or_zeros(p, TO_FILTERS, &s->w, p->w),
                source_or_zeros(p, TO_OUTPUTS, &s->y, p->y)};
    add_all(p, &f);
    if (p->to == TO_IMAGES)
        write_tensor(&s->x, p->x, f.x, p->alpha, p->beta);
    else if (p->to == TO_FILTERS)
        write_tensor(&s->w, p->w, f.w, p->alpha, p->beta);
    else
        write_tensor(&s->y, p->y, f.y, p->alpha, p->beta);
    free(f.x);
    free(f.w);
    free(f.y);
}

static bool is_on_device(const void *memory, size_t bytes) {
    bool valid;
    enter();
    memory_kind kind = kind_of_memory(memory, bytes, &valid);
    leave(cudaSuccess);
    return valid && kind == ON_DEVICE;
}

static bool has_tensor(const struct emulated_tensor *t, const void *values) {
    return is_on_device(values, tensor_count(t) * (t->type == CUDNN_DATA_FLOAT ? 4 : 2));
}

static cudnnStatus_t start_pass(cudnnHandle_t handle, pass p, int algorithm) {
    size_t needed = workspace_of(&p.s, algorithm);
    if (!can_run(&p.s, algorithm))
        return CUDNN_STATUS_NOT_SUPPORTED;
    if (p.bytes < needed || !is_on_device(p.workspace, p.bytes) || !has_tensor(&p.s.x, p.x) ||
        !has_tensor(&p.s.w, p.w) || !has_tensor(&p.s.y, p.y))
        return CUDNN_STATUS_BAD_PARAM;
    return put_dnn_work(handle, run_pass, kept(&p, sizeof p));
}

static void *written(const void *values) {
    return (void *)(size_t)values;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                                      cudnnTensorDescriptor_t x_shape, const void *x,
                                      cudnnFilterDescriptor_t w_shape, const void *w,
                                      cudnnConvolutionDescriptor_t k,
                                      cudnnConvolutionFwdAlgo_t algorithm, void *workspace,
                                      size_t bytes, const void *beta,
                                      cudnnTensorDescriptor_t y_shape, void *y) {
    pass p = {.to = TO_OUTPUTS,
              .alpha = *(const float *)alpha,
              .beta = *(const float *)beta,
              .x = written(x),
              .w = written(w),
              .y = y,
              .workspace = workspace,
              .bytes = bytes};
    if (!make_shape(&p.s, x_shape, w_shape, k, y_shape))
        return CUDNN_STATUS_BAD_PARAM;
    return start_pass(handle, p, algorithm);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                                           cudnnFilterDescriptor_t w_shape, const void *w,
                                           cudnnTensorDescriptor_t y_shape, const void *dy,
                                           cudnnConvolutionDescriptor_t k,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void *workspace,
                                           size_t bytes, const void *beta,
                                           cudnnTensorDescriptor_t x_shape, void *dx) {
    pass p = {.to = TO_IMAGES,
              .alpha = *(const float *)alpha,
              .beta = *(const float *)beta,
              .x = dx,
              .w = written(w),
              .y = written(dy),
              .workspace = workspace,
              .bytes = bytes};
    if (!make_shape(&p.s, x_shape, w_shape, k, y_shape))
        return CUDNN_STATUS_BAD_PARAM;
    return start_pass(handle, p, algorithm);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void *alpha,
                                             cudnnTensorDescriptor_t x_shape, const void *x,
                                             cudnnTensorDescriptor_t y_shape, const void *dy,
                                             cudnnConvolutionDescriptor_t k,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                             void *workspace, size_t bytes, const void *beta,
                                             cudnnFilterDescriptor_t w_shape, void *dw) {
    pass p = {.to = TO_FILTERS,
              .alpha = *(const float *)alpha,
              .beta = *(const float *)beta,
              .x = written(x),
              .w = dw,
              .y = written(dy),
              .workspace = workspace,
              .bytes = bytes};
    if (!make_shape(&p.s, x_shape, w_shape, k, y_shape))
        return CUDNN_STATUS_BAD_PARAM;
    return start_pass(handle, p, algorithm);
}
