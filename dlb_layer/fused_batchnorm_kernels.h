/* Batch normalisation in training with the activation after it, in two launches a pass: what the
 * kernels take, and how they are launched. */
#ifndef FUSED_BATCHNORM_KERNELS_H
#define FUSED_BATCHNORM_KERNELS_H

#include "activation_slope.h"
#include "batchnorm_split.h"

#include <stdbool.h>

/* Of a channel's part: in the forward pass the mean and the sum of the squares of what differs from
 * it, in the backward pass the sums of d and of d * normal; see below. */
typedef struct {
    float first, second;
} batchnorm_part;

/* normal = (x - mean) / sqrt(variance + .00001), output = activation(normal * scale + bias), with
 * the statistics of this batch. Backward, with d = delta * the activation's gradient,
 * delta = scale / sqrt(variance + .00001) * (d - mean of d - normal * mean of d * normal).
 * x, output and deltas are (rows, channels, pixels), fewer than 2^31; the others (channels). All
 * are on the device. */
typedef struct {
    const float *x;
    float *output;
    float *delta;       /* of the output; becomes that of x */
    float *input_delta; /* NULL, or is added delta */
    const float *scales, *biases;
    float *scale_updates, *bias_updates; /* added to */
    float *mean, *variance; /* of this batch: the forward pass writes, the other reads */
    float *rolling_mean, *rolling_variance; /* of which the forward pass keeps 99 % */
    batchnorm_part *parts; /* (channels, split.parts), to work in; not kept between the passes */
    unsigned rows, channels, pixels;
    batchnorm_split split;
    bool is_biased; /* normalises by the variance over n values; the rolling one is over n - 1 */
    activation_slope slope;
} fused_batchnorm_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); no number is 0, and `split` is split_channels()'s. Neither waits; both return
 * what the launches answer. Forward takes what is not a delta or an update, backward not output and
 * the rolling statistics. */
cudaError_t launch_forward_fused_batchnorm(const fused_batchnorm_pass *pass);
cudaError_t launch_backward_fused_batchnorm(const fused_batchnorm_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
