/* The kernels of [dlb_cost], one block a row, whatever the number of classes. The arithmetic of a
 * class is dlb_loss.h's, the same lines that C runs; here its sums go over the threads of a block.
 *
 * In the part of CUDA that is C too; see dlb_block.h. */
#ifndef DLB_COST_BLOCKS_H
#define DLB_COST_BLOCKS_H

#include "dlb_block.h"
#include "dlb_cost_kernels.h"
#include "dlb_loss.h"

/* ---- a row: the twins of the functions of dlb_loss.h ---- */

static __device__ dlb_softmax dlb_block_softmax(double *scratch, const float *logits, int classes,
                                                double temperature) {
    float max = -INFINITY;
    double sum = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x)
        max = logits[k] > max ? logits[k] : max;
    max = (float)dlb_block_max(scratch, max);
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x)
        sum += dlb_share(logits[k], max, temperature);
    dlb_softmax s = {max, log(dlb_block_sum(scratch, sum))};
    return s;
}

static __device__ double dlb_block_cross_entropy(double *scratch, const float *logits,
                                                 const float *truth, int classes,
                                                 double temperature) {
    dlb_softmax s = dlb_block_softmax(scratch, logits, classes, temperature);
    double sum = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x)
        sum -= dlb_likelihood(s, logits[k], truth[k], temperature);
    return dlb_block_sum(scratch, sum);
}

static __device__ double dlb_block_row(double *scratch, const float *student, const float *teacher,
                                       int classes, double temperature, double weight,
                                       float *delta) {
    dlb_softmax s = dlb_block_softmax(scratch, student, classes, temperature);
    dlb_softmax t = dlb_block_softmax(scratch, teacher, classes, temperature);
    double divergence = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        float step;
        divergence += dlb_divergence(s, t, student[k], teacher[k], temperature, weight, &step);
        delta[k] += step;
    }
    return temperature * temperature * dlb_block_sum(scratch, divergence);
}

/* The slot's row with this id, as logit_ring_find() finds it: expected_row, or the first that has
 * it; -1 if none has. */
static __device__ int dlb_block_find(double *scratch, const int64_t *ring_ids, int rows,
                                     int expected_row, int64_t id) {
    double nearest = -INFINITY; /* minus the row, so that the largest is the first */
    if (ring_ids[expected_row] == id)
        return expected_row; /* all threads of the block see the same */
    for (int row = (int)threadIdx.x; row < rows; row += (int)blockDim.x)
        if (ring_ids[row] == id && -row > nearest)
            nearest = -row;
    nearest = dlb_block_max(scratch, nearest);
    return nearest > -INFINITY ? (int)-nearest : -1;
}

/* ---- the kernels ---- */

/* Losses of all rows and gradient of the revisited ones; 2 * half blocks. */
static __global__ void dlb_cost_rows_kernel(dlb_cost_pass pass) {
    __shared__ double scratch[DLB_MOST_THREADS];
    int row = (int)blockIdx.x, rows = 2 * pass.half, teacher = -1;
    int64_t at = (int64_t)row * pass.classes;
    double consistency = 0;
    double cross_entropy = dlb_block_cross_entropy(
        scratch, pass.softmax_logits + at, pass.truth + at, pass.classes, pass.softmax_temperature);
    if (row < pass.half)
        teacher = dlb_block_find(scratch, pass.ring_ids, pass.half, row, pass.ids[row]);
    if (teacher >= 0)
        consistency = dlb_block_row(
            scratch, pass.logits + at, pass.ring_logits + (int64_t)teacher * pass.classes,
            pass.classes, pass.temperature, pass.weight, pass.logits_delta + at);
    if (threadIdx.x == 0) {
        pass.row_losses[DLB_SUM_CROSS_ENTROPY * rows + row] = cross_entropy;
        pass.row_losses[DLB_SUM_CONSISTENCY * rows + row] = consistency;
        pass.row_losses[DLB_SUM_TEACHERS * rows + row] = teacher >= 0;
    }
}

/* After all blocks of dlb_cost_rows_kernel(): the new rows become the slot's, a block each, and
 * one block more adds up the losses; half + 1 blocks. */
static __global__ void dlb_cost_finish_kernel(dlb_cost_pass pass) {
    __shared__ double scratch[DLB_MOST_THREADS];
    int block = (int)blockIdx.x, rows = 2 * pass.half;
    if (block < pass.half) {
        const float *logits = pass.logits + (int64_t)(pass.half + block) * pass.classes;
        float *kept = pass.ring_logits + (int64_t)block * pass.classes;
        for (int k = (int)threadIdx.x; k < pass.classes; k += (int)blockDim.x)
            kept[k] = logits[k];
        if (threadIdx.x == 0)
            pass.ring_ids[block] = pass.ids[pass.half + block];
        return; /* the whole block */
    }
    for (int which = 0; which < DLB_SUMS; which++) {
        double sum = 0;
        for (int row = (int)threadIdx.x; row < rows; row += (int)blockDim.x)
            sum += pass.row_losses[which * rows + row];
        sum = dlb_block_sum(scratch, sum);
        if (threadIdx.x == 0)
            pass.sums[which] += sum;
    }
}

#endif
