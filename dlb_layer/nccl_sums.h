/* Sums over the ranks by NCCL, from one GPU's memory to another's. With NCCL=1 only; for one
 * thread, on all ranks in the same order. What NCCL reports, at once or later, and ranks that do
 * not answer in time, end the program with one sentence. */
#ifndef NCCL_SUMS_H
#define NCCL_SUMS_H

#ifdef DLB_NCCL
#include "array_list.h"

#include <cuda_runtime.h>

typedef struct nccl_sums nccl_sums;

/* Of all ranks, each with its current device, of which no two ranks may have the same one. The
 * caller releases it with nccl_sums_free(), which all ranks call at once. */
nccl_sums *nccl_sums_create(void);

/* Sums zeros on the device, in `stream`, and waits for that. NCCL connects the ranks for a way of
 * summing when a sum first goes it, and the size decides which one it goes: for each size that
 * follows. */
void nccl_sums_connect(nccl_sums *sums, const float_array *zeros, cudaStream_t stream);

/* Accepts NULL. */
void nccl_sums_free(nccl_sums *sums);

/* In `stream`: values on the device become their sums over the ranks, the same bits on all of them.
 * Does not wait for the device. */
void nccl_sums_start(nccl_sums *sums, const float_array *values, cudaStream_t stream);

/* Waits for the device to come to `event`, recorded after sums. */
void nccl_sums_wait(const nccl_sums *sums, cudaEvent_t event);
#endif

#endif
