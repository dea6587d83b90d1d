#include "half_convolution.h"

#ifdef CUDNN
#include "gpu_status.h"
#include "half_kernels.h"
#include "loss_scale_gpu.h"

enum { ALIGNMENT = 256 }; /* bytes; NHWC wants 16, cudaMalloc() gives so many */

int can_be_half(const layer *l) {
    return l->groups == 1 && !l->binary && !l->xnor;
}

/* ---- what cuDNN gets ---- */

void describe_half_convolution(layer *l) {
    const cudnnTensorFormat_t nhwc = CUDNN_TENSOR_NHWC;
    cudnnDataType_t type = l->half == HALF_FLOAT16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
    int c = half_channels(l->c), n = half_channels(l->n);
    check_cudnn(cudnnSetTensor4dDescriptor(l->srcTensorDesc, nhwc, type, l->batch, c, l->h, l->w));
    check_cudnn(cudnnSetTensor4dDescriptor(l->dsrcTensorDesc, nhwc, type, l->batch, c, l->h, l->w));
    check_cudnn(
        cudnnSetTensor4dDescriptor(l->ddstTensorDesc, nhwc, type, l->batch, n, l->out_h, l->out_w));
    check_cudnn(cudnnSetFilter4dDescriptor(l->weightDesc, type, nhwc, n, c, l->size, l->size));
    check_cudnn(cudnnSetFilter4dDescriptor(l->dweightDesc, type, nhwc, n, c, l->size, l->size));
    check_cudnn(cudnnSetConvolutionMathType(l->convDesc, CUDNN_TENSOR_OP_MATH));
}

/* ---- the workspace ---- */

/* Bytes from its beginning to each part. */
typedef struct {
    size_t output, weights, rest; /* the input is the first */
} half_layout;

static size_t bytes_of(int maps, int channels, int pixels) {
    size_t bytes = (size_t)maps * (size_t)half_channels(channels) * (size_t)pixels * 2;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static half_layout layout_of(const layer *l) {
    half_layout at;
    at.output = bytes_of(l->batch, l->c, l->h * l->w);
    at.weights = at.output + bytes_of(l->batch, l->n, l->out_h * l->out_w);
    at.rest = at.weights + bytes_of(half_channels(l->n), l->c, l->size * l->size);
    return at;
}

size_t half_copies_bytes(const layer *l) {
    return l->half ? layout_of(l).rest : 0;
}

/* The workspace of one pass. Inputs and their deltas share a place, and so do outputs and theirs,
 * weights and their gradients. */
typedef struct {
    uint16_t *input, *output, *weights;
    void *rest; /* cuDNN's own */
    size_t rest_bytes;
} half_copies;

static half_copies copies_in(const layer *l, const network *net) {
    half_layout at = layout_of(l);
    char *base = (char *)net->workspace;
    half_copies copies = {.input = (uint16_t *)base,
                          .output = (uint16_t *)(base + at.output),
                          .weights = (uint16_t *)(base + at.weights),
                          .rest = base + at.rest,
                          .rest_bytes = l->workspace_size - at.rest};
    return copies;
}

/* ---- conversions ---- */

static half_pass images(const layer *l, float *floats, uint16_t *halves, int channels, int pixels) {
    return (half_pass){.floats = floats,
                       .halves = halves,
                       .maps = l->batch,
                       .half_maps = l->batch,
                       .channels = channels,
                       .half_channels = half_channels(channels),
                       .pixels = pixels,
                       .type = (half_type)l->half};
}

static half_pass inputs(const layer *l, float *floats, uint16_t *halves) {
    return images(l, floats, halves, l->c, l->h * l->w);
}

static half_pass outputs(const layer *l, float *floats, uint16_t *halves) {
    return images(l, floats, halves, l->n, l->out_h * l->out_w);
}

static half_pass weights(const layer *l, float *floats, uint16_t *halves) {
    half_pass pass = images(l, floats, halves, l->c, l->size * l->size);
    pass.maps = l->n;
    pass.half_maps = half_channels(l->n);
    return pass;
}

static void to_halves(half_pass pass) {
    check_error(launch_to_halves(&pass));
}

static void from_halves(half_pass pass) {
    check_error(launch_from_halves(&pass));
}

/* ---- the passes ---- */

static const float ONE = 1, ZERO = 0;

void forward_half_convolution(const layer *l, const network *net, float *output) {
    half_copies copies = copies_in(l, net);
    to_halves(inputs(l, net->input_gpu, copies.input));
    to_halves(weights(l, l->weights_gpu, copies.weights));
    check_cudnn(cudnnConvolutionForward(cudnn_handle(), &ONE, l->srcTensorDesc, copies.input,
                                        l->weightDesc, copies.weights, l->convDesc, l->fw_algo,
                                        copies.rest, copies.rest_bytes, &ZERO, l->ddstTensorDesc,
                                        copies.output));
    from_halves(outputs(l, output, copies.output));
}

/* Adds the halves, which have the scale of the deltas they come from. */
static void add_gradient(half_pass pass, const float *scale) {
    pass.scale = scale;
    pass.adds = true;
    from_halves(pass);
}

static void add_weight_gradient(const layer *l, const network *net, half_copies copies,
                                const float *scale) {
    to_halves(inputs(l, net->input_gpu, copies.input));
    check_cudnn(cudnnConvolutionBackwardFilter(cudnn_handle(), &ONE, l->srcTensorDesc, copies.input,
                                               l->ddstTensorDesc, copies.output, l->convDesc,
                                               l->bf_algo, copies.rest, copies.rest_bytes, &ZERO,
                                               l->dweightDesc, copies.weights));
    add_gradient(weights(l, l->weight_updates_gpu, copies.weights), scale);
}

static void add_input_gradient(const layer *l, const network *net, half_copies copies,
                               const float *scale) {
    to_halves(weights(l, l->weights_gpu, copies.weights));
    check_cudnn(cudnnConvolutionBackwardData(cudnn_handle(), &ONE, l->weightDesc, copies.weights,
                                             l->ddstTensorDesc, copies.output, l->convDesc,
                                             l->bd_algo, copies.rest, copies.rest_bytes, &ZERO,
                                             l->dsrcTensorDesc, copies.input));
    add_gradient(inputs(l, net->delta_gpu, copies.input), scale);
}

void backward_half_convolution(const layer *l, const network *net) {
    half_copies copies = copies_in(l, net);
    const float *scale = loss_scale_on_device(net);
    half_pass deltas = outputs(l, l->delta_gpu, copies.output);
    deltas.scale = scale;
    to_halves(deltas);
    add_weight_gradient(l, net, copies, scale);
    if (net->delta_gpu)
        add_input_gradient(l, net, copies, scale);
}
#endif
