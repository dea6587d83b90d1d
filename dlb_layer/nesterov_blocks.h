/* The kernel of Nesterov's step. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef NESTEROV_BLOCKS_H
#define NESTEROV_BLOCKS_H

#include "nesterov_step.h"

#include <stddef.h>

typedef struct {
    float *values, *before; /* (count) */
    const float *updates;   /* (count) */
    size_t count;
    float rate;
} look_ahead_pass;

/* A thread a parameter. */
static __global__ void look_ahead_kernel(look_ahead_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < p.count)
        look_ahead_of(p.values + i, p.before + i, p.updates[i], p.rate);
}

#endif
