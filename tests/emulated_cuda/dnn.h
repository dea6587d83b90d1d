/* What the files of the emulated cuDNN share. */
#ifndef DNN_H
#define DNN_H

#include "cudnn.h"
#include "emulation.h"

struct emulated_dnn {
    cudaStream_t stream;
};

/* Of images, or of filters, whose n is the number of filters. */
struct emulated_tensor {
    cudnnTensorFormat_t format;
    cudnnDataType_t type;
    int n, c, h, w;
};

struct emulated_convolution {
    int pad, stride, groups;
    cudnnMathType_t math;
};

/* Puts work in the handle's stream; see put_work(). The arguments are freed after it. */
cudnnStatus_t put_dnn_work(cudnnHandle_t handle, void (*run)(void *arguments), void *arguments);

/* A copy of `size` bytes, for put_dnn_work(). */
void *kept(const void *arguments, size_t size);

size_t tensor_count(const struct emulated_tensor *t);

/* Values as floats in the order n, c, h, w, of whatever type and format; free() releases them. */
float *read_tensor(const struct emulated_tensor *t, const void *values);

/* values = alpha * from + beta * values; with beta 0 values are not read. */
void write_tensor(const struct emulated_tensor *t, void *values, const float *from, float alpha,
                  float beta);

#endif
