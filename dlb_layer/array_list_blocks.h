/* The kernels that go over arrays of all layers in one launch. In the part of CUDA that is C too;
 * see dlb_block.h. */
#ifndef ARRAY_LIST_BLOCKS_H
#define ARRAY_LIST_BLOCKS_H

#include "array_block.h"
#include "array_list_kernels.h"
#include "sgd_update.h"

/* The host's update of all layers, and Nesterov's step; as many blocks as were laid out. */
static __global__ void update_arrays_kernel(update_pass p) {
    int index = array_of_block(p.first_blocks, p.count, blockIdx.x);
    updated_array a = p.arrays[index];
    float_range range = range_of_block(blockIdx.x - p.first_blocks[index], a.count);
    sgd_factors f = {p.learning_rate * a.rate_scale / p.batch, a.decays ? p.decay * p.batch : 0,
                     p.momentum, a.clip};
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        sgd_update_of(a.values + i, a.updates + i, a.before ? a.before + i : NULL, f);
}

static __global__ void clear_arrays_kernel(clear_pass p) {
    int index = array_of_block(p.first_blocks, p.count, blockIdx.x);
    float_array a = p.arrays[index];
    float_range range = range_of_block(blockIdx.x - p.first_blocks[index], a.count);
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        a.floats[i] = 0;
}

#endif
