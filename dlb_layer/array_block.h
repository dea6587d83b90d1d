/* Which floats a block of a launch over many arrays goes over. For C and for CUDA. */
#ifndef ARRAY_BLOCK_H
#define ARRAY_BLOCK_H

#include "array_list.h"
#include "dlb_loss.h" /* DLB_FUNCTION */

/* The array that `block` belongs to; see lay_out_blocks(). */
DLB_FUNCTION int array_of_block(const unsigned *first_blocks, int arrays, unsigned block) {
    int low = 0, high = arrays; /* first_blocks[low] <= block < first_blocks[high] */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (first_blocks[middle] <= block)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The floats of an array, from `from` to before `to`, that block number `block` of it goes over. */
typedef struct {
    size_t from, to;
} float_range;

DLB_FUNCTION float_range range_of_block(unsigned block, size_t count) {
    float_range range = {(size_t)block * BLOCK_FLOATS, ((size_t)block + 1) * BLOCK_FLOATS};
    if (range.to > count)
        range.to = count;
    return range;
}

#endif
