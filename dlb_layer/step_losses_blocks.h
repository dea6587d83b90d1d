/* The kernel of step_losses.h. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef STEP_LOSSES_BLOCKS_H
#define STEP_LOSSES_BLOCKS_H

#include "dlb_block.h"

typedef struct {
    const float *losses; /* (count) */
    int count;
    double *sum; /* added to */
} loss_sum;

/* One block. */
static __global__ void add_losses_kernel(loss_sum s) {
    __shared__ double scratch[DLB_MOST_THREADS];
    double sum = 0;
    for (int i = (int)threadIdx.x; i < s.count; i += (int)blockDim.x)
        sum += s.losses[i];
    sum = dlb_block_sum(scratch, sum);
    if (threadIdx.x == 0)
        *s.sum += sum;
}

#endif
