/* The kernels of bias_kernels.h. In the part of CUDA that is C too; see dlb_block.h. Outputs and
 * deltas are to the bit those of the kernels of the host's that they replace. */
#ifndef BIAS_BLOCKS_H
#define BIAS_BLOCKS_H

#include "bias_kernels.h"
#include "channel_walk.h"
#include "dlb_block.h"

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

/* A block a channel. The sum has a fixed order, which is not the host's. */
static __global__ void backward_bias_kernel_of_planes(bias_pass p) {
    __shared__ double scratch[DLB_MOST_THREADS];
    channel_walk w = walk_channel(p.channels, p.pixels, blockIdx.x, 0, p.rows * p.pixels);
    float sum = 0;
    for (; w.value < w.end; walk_on(&w))
        sum += delta_before_activation(&p, w.at);
    float of_all = (float)dlb_block_sum(scratch, sum);
    if (threadIdx.x == 0)
        p.bias_updates[blockIdx.x] += of_all;
}

/* A thread a channel, for pixels = 1, where a channel's values are far from each other and its
 * neighbours' near. In the host's order. */
static __global__ void backward_bias_kernel_of_rows(bias_pass p) {
    unsigned channel = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = 0;
    if (channel >= p.channels)
        return;
    for (unsigned row = 0; row < p.rows; row++)
        sum += delta_before_activation(&p, row * p.channels + channel);
    p.bias_updates[channel] += sum;
}

#endif
