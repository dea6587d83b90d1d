/* The kernels that copy arrays to their places in a flat buffer and back. In the part of CUDA that
 * is C too; see dlb_block.h. */
#ifndef FLAT_ARRAY_BLOCKS_H
#define FLAT_ARRAY_BLOCKS_H

#include "array_block.h"
#include "array_list_kernels.h"

/* To the buffer. */
static __global__ void gather_arrays_kernel(flat_pass p) {
    unsigned block = p.first_block + blockIdx.x;
    int index = array_of_block(p.first_blocks, p.count, block);
    placed_array a = p.arrays[index];
    float_range range = range_of_block(block - p.first_blocks[index], a.count);
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        p.flat[a.at + i] = a.floats[i];
}

/* And back, divided. */
static __global__ void scatter_arrays_kernel(flat_pass p) {
    unsigned block = p.first_block + blockIdx.x;
    int index = array_of_block(p.first_blocks, p.count, block);
    placed_array a = p.arrays[index];
    float_range range = range_of_block(block - p.first_blocks[index], a.count);
    for (size_t i = range.from + threadIdx.x; i < range.to; i += blockDim.x)
        a.floats[i] = p.flat[a.at + i] / a.divisor;
}

#endif
