/* The kernels of bias_kernels.h. In the part of CUDA that is C too; see dlb_block.h. Outputs and
 * deltas are to the bit those of the kernels of the host's that they replace. */
#ifndef BIAS_BLOCKS_H
#define BIAS_BLOCKS_H

#include "bias_kernels.h"

/* A thread a float. */
static __global__ void forward_bias_kernel(bias_pass p) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.rows * p.channels * p.pixels)
        return;
    p.output[i] = activated(p.output[i] + p.biases[i / p.pixels % p.channels], p.slope);
}

/* The delta of the sum. */
static __device__ float delta_before_activation(const bias_pass *p, unsigned at) {
    float delta = p->delta[at];
    if (p->slope == SLOPE_LINEAR)
        return delta;
    delta = rounded_product(delta, slope_at(p->output[at], p->slope));
    p->delta[at] = delta;
    return delta;
}

/* A thread a channel of one pixel. In the host's order. */
static __global__ void backward_bias_kernel(bias_pass p) {
    unsigned channel = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = 0;
    if (channel >= p.channels)
        return;
    for (unsigned row = 0; row < p.rows; row++)
        sum += delta_before_activation(&p, row * p.channels + channel);
    p.bias_updates[channel] += sum;
}

#endif
