/* The kernels that go over arrays of all layers in one launch. In the part of CUDA that is C too;
 * see dlb_block.h. */
#ifndef ARRAY_LIST_BLOCKS_H
#define ARRAY_LIST_BLOCKS_H

#include "array_block.h"
#include "array_list_kernels.h"
#include "sgd_update.h"

/* One thread, in order with the updates before and after it. */
static __global__ void set_update_numbers_kernel(numbers_pass p) {
    *p.to = p.numbers;
}

/* Whether a gradient is not finite. The fault spreads to the layers below, so the highest one is
 * noted; without atomicMax() it would be any of them. */
static __global__ void check_gradients_kernel(update_pass p) {
    int index = array_of_block(p.first_blocks, p.count, blockIdx.x), finite = 1;
    updated_array a = p.arrays[index];
    float_range range = range_of_block(blockIdx.x - p.first_blocks[index], a.count);
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        finite &= float_is_finite(a.updates[i]);
    if (!finite)
        atomicMax(&p.scale->spoiled, a.layer + 1);
}

/* One thread, after all of the update's have read it. */
static __global__ void step_loss_scale_kernel(loss_scale *scale) {
    step_loss_scale(scale);
}

/* Puts back what the iteration's gradients were added to. */
static __device__ void leave_out_update(const updated_array *a, float_range range) {
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        a->updates[i] = a->kept[i];
}

/* The host's update of all layers, and Nesterov's step; as many blocks as were laid out. */
static __global__ void update_arrays_kernel(update_pass p) {
    int index = array_of_block(p.first_blocks, p.count, blockIdx.x);
    updated_array a = p.arrays[index];
    float_range range = range_of_block(blockIdx.x - p.first_blocks[index], a.count);
    update_numbers n = *p.numbers;
    sgd_factors f = {n.learning_rate * a.rate_scale / n.batch, a.decays ? n.decay * n.batch : 0,
                     n.momentum, a.clip};
    if (p.scale && p.scale->spoiled) {
        leave_out_update(&a, range);
        return; /* all threads */
    }
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x) {
        sgd_update_of(a.values + i, a.updates + i, a.before ? a.before + i : NULL, f);
        if (a.kept)
            a.kept[i] = a.updates[i];
    }
}

static __global__ void clear_arrays_kernel(clear_pass p) {
    int index = array_of_block(p.first_blocks, p.count, blockIdx.x);
    float_array a = p.arrays[index];
    float_range range = range_of_block(blockIdx.x - p.first_blocks[index], a.count);
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        a.floats[i] = 0;
}

#endif
