/* The kernel of render_kernels.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef RENDER_BLOCKS_H
#define RENDER_BLOCKS_H

#include "drawn_row.h"

/* A thread a pixel, with its three colours. */
static __global__ void render_rows_kernel(render_pass p) {
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t width = (size_t)p.settings.width, plane = width * (size_t)p.settings.height;
    if (i >= p.count * plane)
        return;
    size_t at = i % plane;
    rgb_colour colour = row_colour(&p, &p.rows[i / plane], (int)(at % width), (int)(at / width));
    float *to = p.inputs + i / plane * 3 * plane + at;
    to[0] = colour.r;
    to[plane] = colour.g;
    to[2 * plane] = colour.b;
}

#endif
