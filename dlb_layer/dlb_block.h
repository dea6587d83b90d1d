/* Sums and maxima over the threads of a block.
 *
 * This and what includes it is written in the part of CUDA that is C too, so that tests run these
 * very lines on the CPU, with a thread for each of CUDA's (tests/unit/cuda_on_cpu.h). */
#ifndef DLB_BLOCK_H
#define DLB_BLOCK_H

#include "block_threads.h"

#include <math.h>

/* ---- reductions: each thread of the block brings a value, all get the result ---- */

/* The sum, always in the same order. scratch is (threads), shared by the block. */
static inline __device__ double dlb_block_sum(double *scratch, double value) {
    unsigned thread = threadIdx.x;
    scratch[thread] = value;
    __syncthreads(); /* or a thread would add what its partner has not written yet */
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (thread < half)
            scratch[thread] += scratch[thread + half];
        __syncthreads(); /* the same for the sums of this round */
    }
    double sum = scratch[0];
    __syncthreads(); /* or the next reduction would overwrite it before all have read it */
    return sum;
}

/* The largest. */
static inline __device__ double dlb_block_max(double *scratch, double value) {
    unsigned thread = threadIdx.x;
    scratch[thread] = value;
    __syncthreads(); /* as in dlb_block_sum() */
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (thread < half && scratch[thread + half] > scratch[thread])
            scratch[thread] = scratch[thread + half];
        __syncthreads();
    }
    double max = scratch[0];
    __syncthreads();
    return max;
}

#endif
