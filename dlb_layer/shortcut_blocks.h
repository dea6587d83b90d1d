/* The kernels of shortcut_kernels.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef SHORTCUT_BLOCKS_H
#define SHORTCUT_BLOCKS_H

#include "dlb_loss.h" /* DLB_FUNCTION */
#include "shortcut_kernels.h"

/* The host's activations of these names. */
DLB_FUNCTION float shortcut_activation(float x, shortcut_slope slope) {
    if (slope == SHORTCUT_RELU)
        return x * (x > 0);
    if (slope == SHORTCUT_LEAKY)
        return x > 0 ? x : .1f * x;
    return x;
}

/* Of the activation where `output` came out of it. */
DLB_FUNCTION float shortcut_gradient(float output, shortcut_slope slope) {
    if (slope == SHORTCUT_RELU)
        return output > 0;
    if (slope == SHORTCUT_LEAKY)
        return output > 0 ? 1 : .1f;
    return 1;
}

/* A thread a float. */
static __global__ void forward_shortcut_kernel(shortcut_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < p.count)
        p.output[i] = shortcut_activation(p.alpha * p.input[i] + p.beta * p.other[i], p.slope);
}

/* The two deltas may be the same array: each thread adds to its float of one, then of the other. */
static __global__ void backward_shortcut_kernel(shortcut_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= p.count)
        return;
    float delta = p.delta[i] * shortcut_gradient(p.output[i], p.slope);
    p.delta[i] = delta;
    p.input_delta[i] += p.alpha * delta;
    p.other_delta[i] += p.beta * delta;
}

#endif
