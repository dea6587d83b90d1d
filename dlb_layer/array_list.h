/* Arrays of a network that one launch goes over, whatever layers they are of: its parameters with
 * their updates, its deltas, what is added up over the ranks. The kernels are in
 * array_list_blocks.h; this part knows no CUDA.
 */
#ifndef ARRAY_LIST_H
#define ARRAY_LIST_H

#include <stddef.h>

/* One array of parameters. */
typedef struct {
    float *values, *updates; /* (count) */
    float *before;           /* (count), see nesterov.h; NULL without */
    float *kept;             /* (count), `updates` as the last update left them, which may be where
                                `before` is; NULL: no update of these is ever left out */
    size_t count;
    float rate_scale; /* of the learning rate */
    float clip;       /* see sgd_update.h */
    int decays;       /* 0 or 1 */
    int layer;
} updated_array;

/* One array of floats. Without gaps, so that lists can be compared as bytes. */
typedef struct {
    float *floats; /* (count) */
    size_t count;
} float_array;

/* One array with a place in a flat buffer of many. */
typedef struct {
    float *floats; /* (count) */
    size_t count;
    size_t at;     /* the place of the first */
    float divisor; /* of what comes back from there */
} placed_array;

/* Floats that a block of threads goes over; an array's last block has what is left. */
enum { BLOCK_FLOATS = 2048 };

/* Writes first_blocks, (arrays + 1): array i has blocks first_blocks[i] to first_blocks[i + 1] - 1,
 * none where it has no floats. The counts are (arrays), `stride` bytes from one to the next. Ends
 * the program where one launch cannot have so many blocks. */
void lay_out_blocks(const size_t *counts, size_t stride, int arrays, unsigned *first_blocks);

#endif
