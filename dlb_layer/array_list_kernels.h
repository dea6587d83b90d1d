/* What the kernels of array_list_blocks.h and flat_array_blocks.h take, and how they are launched.
 */
#ifndef ARRAY_LIST_KERNELS_H
#define ARRAY_LIST_KERNELS_H

#include "array_list.h"
#include "loss_scale.h"

/* Of an iteration. */
typedef struct {
    float learning_rate, decay, momentum; /* for mean gradients */
    float batch;                          /* rows */
} update_numbers;

/* All pointers are to the device's memory. What is another in each iteration is there too, so that
 * an update can be captured once, in a graph, and launched again. */
typedef struct {
    const updated_array *arrays;  /* (count) */
    const unsigned *first_blocks; /* (count + 1), see lay_out_blocks() */
    int count;
    const update_numbers *numbers;
    loss_scale *scale; /* where it is spoiled, the update is left out; NULL: no update is */
} update_pass;

typedef struct {
    update_numbers *to;
    update_numbers numbers;
} numbers_pass;

typedef struct {
    const float_array *arrays;    /* (count) */
    const unsigned *first_blocks; /* (count + 1) */
    int count;
} clear_pass;

/* Between arrays and their places in `flat`. */
typedef struct {
    const placed_array *arrays;   /* (count) */
    const unsigned *first_blocks; /* (count + 1) */
    int count;
    unsigned first_block; /* where the launch begins */
    float *flat;
} flat_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(), with `blocks` = first_blocks[count] blocks, not 0; none waits. All return what
 * the launch answers. */
cudaError_t launch_update_arrays(const update_pass *pass, unsigned blocks);

/* Before an update whose numbers these are; they are copied by the launch. */
cudaError_t launch_set_update_numbers(const numbers_pass *pass);

/* For a pass with a scale, before it and after it: whether the gradients spoil it, and what it is
 * for the next iteration. */
cudaError_t launch_check_gradients(const update_pass *pass, unsigned blocks);
cudaError_t launch_step_loss_scale(loss_scale *scale);

cudaError_t launch_clear_arrays(const clear_pass *pass, unsigned blocks);

/* Alike, with the blocks of some arrays that follow each other: first_block is their first one. */
cudaError_t launch_gather_arrays(const flat_pass *pass, unsigned blocks);
cudaError_t launch_scatter_arrays(const flat_pass *pass, unsigned blocks);

/* Loads these kernels, which else their first launch does: it may wait for all of the device. */
cudaError_t load_array_kernels(void);

#ifdef __cplusplus
}
#endif
#endif

#endif
