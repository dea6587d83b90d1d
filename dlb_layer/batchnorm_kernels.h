/* Batch normalisation by rolling statistics, with the activation after it, in one launch: what the
 * kernel takes, and how it is launched. */
#ifndef BATCHNORM_KERNELS_H
#define BATCHNORM_KERNELS_H

#include "activation_slope.h"

/* Added to a variance, as the host and cuDNN do. */
#define BATCHNORM_EPSILON .00001f

/* output = activation((x - mean) / sqrt(variance + .00001) * scale + bias). All arrays are on the
 * device. */
typedef struct {
    const float *x;                                 /* (rows, channels, pixels), fewer than 2^31 */
    float *copy_of_x;                               /* the same; NULL: none is made */
    float *output;                                  /* the same; may be x */
    const float *mean, *variance, *scales, *biases; /* (channels) */
    unsigned rows, channels, pixels;
    activation_slope slope;
} rolling_batchnorm_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); no number is 0. Does not wait; returns what the launch answers. */
cudaError_t launch_rolling_batchnorm(const rolling_batchnorm_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
