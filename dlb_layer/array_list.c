#include "array_list.h"

#include "fail.h"

#include <limits.h>

void lay_out_blocks(const size_t *counts, size_t stride, int arrays, unsigned *first_blocks) {
    size_t blocks = 0;
    for (int i = 0; i < arrays; i++) {
        size_t count = *(const size_t *)((const char *)counts + (size_t)i * stride);
        first_blocks[i] = (unsigned)blocks;
        blocks += (count + BLOCK_FLOATS - 1) / BLOCK_FLOATS;
        if (blocks > INT_MAX)
            fail("%zu blocks of %d floats are more than one launch on a GPU can have", blocks,
                 BLOCK_FLOATS);
    }
    first_blocks[arrays] = (unsigned)blocks;
}
