/* The passes of [dlb_cost] on a GPU: what the kernels take, and how they are launched. The kernels
 * themselves are in dlb_cost_blocks.h. */
#ifndef DLB_COST_KERNELS_H
#define DLB_COST_KERNELS_H

#include <stdint.h>

/* What dlb_cost_sums counts, in this order. */
enum { DLB_SUM_CROSS_ENTROPY, DLB_SUM_CONSISTENCY, DLB_SUM_TEACHERS, DLB_SUMS };

/* One micro-batch of 2 * half rows, the first half of which is revisited. All pointers are to the
 * device's memory and belong to the caller; arrays are row-major. */
typedef struct {
    int half, classes;
    const float *softmax_logits; /* (2 * half, classes), whose cross entropy is trained */
    const float *truth;          /* (2 * half, classes) */
    double softmax_temperature;
    const float *logits; /* (2 * half, classes), that are distilled */
    float *logits_delta; /* (2 * half, classes), minus the gradient, added to */
    double temperature;
    double weight;      /* of a revisited row's gradient */
    const int64_t *ids; /* (2 * half) */
    float *ring_logits; /* (half, classes), the slot's: the teacher, then the new rows */
    int64_t *ring_ids;  /* (half) */
    double *row_losses; /* (DLB_SUMS, 2 * half), scratch */
    double *sums;       /* (DLB_SUMS), added to */
} dlb_cost_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Losses, gradient and the slot's new logits of one micro-batch, in gpu_stream(); does not
 * wait for them. Returns what the launches answer. */
cudaError_t launch_dlb_cost(const dlb_cost_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
