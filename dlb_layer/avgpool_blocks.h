/* [avgpool] with windows on a GPU, a thread a value. The backward pass goes over the inputs, each
 * of which adds up its windows in the order of the host's loop on the CPU: no two threads write to
 * the same place, and the results are the CPU's to the bit. In the part of CUDA that is C too; see
 * dlb_block.h. */
#ifndef AVGPOOL_BLOCKS_H
#define AVGPOOL_BLOCKS_H

#include "avgpool_kernels.h"

/* Rows or columns. */
typedef struct {
    int first, end;
} avgpool_span;

/* Those of window `out` that lie in a picture of `length`. */
static __device__ avgpool_span avgpool_window(avgpool_pass p, int out, int length) {
    avgpool_span window = {out * p.stride - p.padding / 2, 0};
    window.end = window.first + p.size;
    if (window.first < 0)
        window.first = 0;
    if (window.end > length)
        window.end = length;
    return window;
}

/* The windows, of `windows`, that have pixel `at`. */
static __device__ avgpool_span avgpool_windows_with(avgpool_pass p, int at, int windows) {
    int from_edge = at + p.padding / 2, after = from_edge - p.size + 1;
    avgpool_span span = {after > 0 ? (after + p.stride - 1) / p.stride : 0,
                         from_edge / p.stride + 1};
    if (span.end > windows)
        span.end = windows;
    return span;
}

static __device__ int avgpool_area(avgpool_span rows, avgpool_span columns) {
    return (rows.end - rows.first) * (columns.end - columns.first);
}

/* A thread an output. */
static __global__ void forward_avgpool_kernel(avgpool_pass p) {
    int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    int64_t area = (int64_t)p.out_width * p.out_height, plane = at / area;
    if (plane >= p.planes)
        return;
    avgpool_span rows = avgpool_window(p, (int)(at % area / p.out_width), p.height);
    avgpool_span columns = avgpool_window(p, (int)(at % area % p.out_width), p.width);
    const float *picture = p.input + plane * p.width * p.height;
    float sum = 0;
    for (int y = rows.first; y < rows.end; y++)
        for (int x = columns.first; x < columns.end; x++)
            sum += picture[x + p.width * y];
    p.output[at] = sum / (float)avgpool_area(rows, columns);
}

/* A thread an input. */
static __global__ void backward_avgpool_kernel(avgpool_pass p) {
    int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    int64_t area = (int64_t)p.width * p.height, plane = at / area;
    if (plane >= p.planes)
        return;
    avgpool_span down = avgpool_windows_with(p, (int)(at % area / p.width), p.out_height);
    avgpool_span across = avgpool_windows_with(p, (int)(at % area % p.width), p.out_width);
    const float *deltas = p.output_delta + plane * p.out_width * p.out_height;
    float sum = p.input_delta[at];
    for (int i = down.first; i < down.end; i++)
        for (int j = across.first; j < across.end; j++) {
            avgpool_span rows = avgpool_window(p, i, p.height);
            avgpool_span columns = avgpool_window(p, j, p.width);
            sum += deltas[j + p.out_width * i] / (float)avgpool_area(rows, columns);
        }
    p.input_delta[at] = sum;
}

#endif
