/* Sums over the ranks of what is on GPUs, by way of the host's memory and MPI, which need not know
 * of CUDA. For one thread, on all ranks in the same order. */
#ifndef PINNED_SUMS_H
#define PINNED_SUMS_H

#if defined(GPU) && defined(DLB_MPI)
#include <cuda_runtime.h>
#include <stddef.h>

typedef struct pinned_sums pinned_sums;

/* For `most` sums at a time, in an array of so many floats. The caller releases it with
 * pinned_sums_free(). */
pinned_sums *pinned_sums_create(int most, size_t floats);

/* Accepts NULL. */
void pinned_sums_free(pinned_sums *sums);

/* Begins with the next sum, in `stream`: `count` floats from `from` on of `flat`, on the device.
 * Does not wait. */
void pinned_sums_start(pinned_sums *sums, const float *flat, size_t from, size_t count,
                       cudaStream_t stream);

/* Lets sums that are under way go on. */
void pinned_sums_advance(pinned_sums *sums);

/* Waits for all sums that have begun; their results come back to `flat`, in order with what the
 * default stream does from here on. */
void pinned_sums_finish(pinned_sums *sums, float *flat);
#endif

#endif
