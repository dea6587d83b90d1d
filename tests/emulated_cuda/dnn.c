/* cuDNN's handles and descriptors. */
#include "dnn.h"

#include "half_float.h"

#include <stdlib.h>
#include <string.h>

void *kept(const void *arguments, size_t size) {
    return memcpy(zeroed(size), arguments, size);
}

/* ---- handles ---- */

const char *cudnnGetErrorString(cudnnStatus_t status) {
    switch (status) {
    case CUDNN_STATUS_SUCCESS:
        return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_BAD_PARAM:
        return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED:
        return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_EXECUTION_FAILED:
        return "CUDNN_STATUS_EXECUTION_FAILED";
    }
    return "an unknown status";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle) {
    *handle = zeroed(sizeof **handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t put_dnn_work(cudnnHandle_t handle, void (*run)(void *), void *arguments) {
    enter();
    count_call(LIBRARY_CALLS);
    cudaError_t status = put_work(handle->stream, (work){run, NULL, arguments});
    return leave(status) == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

/* ---- descriptors ---- */

static cudnnStatus_t set_tensor(struct emulated_tensor *t, struct emulated_tensor to) {
    if (to.n < 1 || to.c < 1 || to.h < 1 || to.w < 1)
        return CUDNN_STATUS_BAD_PARAM;
    *t = to;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *t) {
    *t = zeroed(sizeof **t);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t t) {
    free(t);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t t, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    return set_tensor(t, (struct emulated_tensor){format, type, n, c, h, w});
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *t) {
    return cudnnCreateTensorDescriptor(t);
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t t) {
    return cudnnDestroyTensorDescriptor(t);
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t t, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    return set_tensor(t, (struct emulated_tensor){format, type, k, c, h, w});
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *k) {
    *k = zeroed(sizeof **k);
    (*k)->groups = 1;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t k) {
    free(k);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t k, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t type) {
    if (pad_h != pad_w || pad_h < 0 || stride_h != stride_w || stride_h < 1 || dilation_h != 1 ||
        dilation_w != 1 || mode != CUDNN_CROSS_CORRELATION || type != CUDNN_DATA_FLOAT)
        return CUDNN_STATUS_NOT_SUPPORTED;
    k->pad = pad_h;
    k->stride = stride_h;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t k, int groups) {
    k->groups = groups;
    return groups > 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t k, cudnnMathType_t math) {
    k->math = math;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- values ---- */

size_t tensor_count(const struct emulated_tensor *t) {
    return (size_t)t->n * (size_t)t->c * (size_t)t->h * (size_t)t->w;
}

/* Where the value lies that comes at `i` in the order n, c, h, w. */
static size_t place_of(const struct emulated_tensor *t, size_t i) {
    if (t->format == CUDNN_TENSOR_NCHW)
        return i;
    size_t pixels = (size_t)t->h * (size_t)t->w, channels = (size_t)t->c;
    size_t pixel = i % pixels, channel = i / pixels % channels, map = i / pixels / channels;
    return (map * pixels + pixel) * channels + channel;
}

static half_type half_type_of(const struct emulated_tensor *t) {
    return t->type == CUDNN_DATA_HALF ? HALF_FLOAT16 : HALF_BFLOAT16;
}

static float value_at(const struct emulated_tensor *t, const void *values, size_t at) {
    if (t->type == CUDNN_DATA_FLOAT)
        return ((const float *)values)[at];
    return float_of_half(((const uint16_t *)values)[at], half_type_of(t));
}

float *read_tensor(const struct emulated_tensor *t, const void *values) {
    size_t count = tensor_count(t);
    float *floats = zeroed(count * sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = value_at(t, values, place_of(t, i));
    return floats;
}

void write_tensor(const struct emulated_tensor *t, void *values, const float *from, float alpha,
                  float beta) {
    for (size_t i = 0; i < tensor_count(t); i++) {
        size_t at = place_of(t, i);
        float value = alpha * from[i] + (beta != 0 ? beta * value_at(t, values, at) : 0);
        if (t->type == CUDNN_DATA_FLOAT)
            ((float *)values)[at] = value;
        else
            ((uint16_t *)values)[at] = half_of(value, half_type_of(t));
    }
}
