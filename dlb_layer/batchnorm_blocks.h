/* The kernel of batchnorm_kernels.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef BATCHNORM_BLOCKS_H
#define BATCHNORM_BLOCKS_H

#include "batchnorm_kernels.h"

/* A thread a float, to the bit as by the kernels of the host's that it replaces. */
static __global__ void rolling_batchnorm_kernel(rolling_batchnorm_pass p) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.rows * p.channels * p.pixels)
        return;
    unsigned channel = i / p.pixels % p.channels;
    float x = p.x[i];
    if (p.copy_of_x)
        p.copy_of_x[i] = x;
    float normal = (x - p.mean[channel]) / sqrtf(p.variance[channel] + BATCHNORM_EPSILON);
    float sum = rounded_product(normal, p.scales[channel]) + p.biases[channel];
    p.output[i] = activated(sum, p.slope);
}

#endif
