/* Biases with the activation after them, in one launch a pass: what the kernels take, and how they
 * are launched. */
#ifndef BIAS_KERNELS_H
#define BIAS_KERNELS_H

#include "activation_slope.h"

/* output = activation(output + bias). All arrays are on the device. */
typedef struct {
    const float *biases; /* (channels) */
    float *bias_updates; /* (channels), added to */
    float *output;       /* (rows, channels, pixels), fewer than 2^31 */
    float *delta;        /* the same; becomes that of the sum */
    unsigned rows, channels, pixels;
    activation_slope slope;
} bias_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); no number is 0. Neither waits; both return what the launch answers. Forward
 * takes biases and output, backward output, delta and bias_updates, of one pixel. */
cudaError_t launch_forward_bias(const bias_pass *pass);
cudaError_t launch_backward_bias(const bias_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
