/* The kernels of row_kernels.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef ROW_BLOCKS_H
#define ROW_BLOCKS_H

#include "row_kernels.h"

/* A thread a float of the rows. */
static __global__ void copy_rows_kernel(rows_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < p.rows * p.width)
        p.to[i / p.width * p.to_stride + i % p.width] =
            p.from[i / p.width * p.from_stride + i % p.width];
}

static __global__ void add_rows_kernel(rows_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < p.rows * p.width)
        p.to[i / p.width * p.to_stride + i % p.width] +=
            p.from[i / p.width * p.from_stride + i % p.width];
}

#endif
