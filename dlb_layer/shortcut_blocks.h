/* The kernels of shortcut_kernels.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef SHORTCUT_BLOCKS_H
#define SHORTCUT_BLOCKS_H

#include "shortcut_kernels.h"

/* A thread a float. */
static __global__ void forward_shortcut_kernel(shortcut_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < p.count)
        p.output[i] = activated(p.alpha * p.input[i] + p.beta * p.other[i], p.slope);
}

/* The two deltas may be the same array: each thread adds to its float of one, then of the other. */
static __global__ void backward_shortcut_kernel(shortcut_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count)
        return;
    float delta = p.delta[i] * slope_at(p.output[i], p.slope);
    p.delta[i] = delta;
    p.input_delta[i] += p.alpha * delta;
    p.other_delta[i] += p.beta * delta;
}

#endif
