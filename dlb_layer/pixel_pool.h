/* Room for the pixels of the images of some rows, one after the other, to be copied to a device in
 * as few pieces as possible: a block and, where that was too small, what came after it piece by
 * piece in ordinary memory. The block is made larger then, before the pool is filled again.
 *
 * Threads: any number take room at once; what else there is belongs to one thread, and only while
 * none takes room. */
#ifndef PIXEL_POOL_H
#define PIXEL_POOL_H

#include "overlap_loader.h"

#include <stddef.h>

/* Bytes of the pool in the host's memory. */
typedef struct {
    const void *from;
    size_t at, bytes; /* where they belong in the pool */
} pixel_piece;

typedef struct pixel_pool pixel_pool;

/* Empty and without a block; `memory` is the block's. The caller frees it with pixel_pool_free().
 */
pixel_pool *pixel_pool_create(batch_memory memory);

/* Accepts NULL. */
void pixel_pool_free(pixel_pool *pool);

/* Room for so many bytes, more than 0, aligned as floats are; *at receives their place in the
 * pool. Valid until the pool is emptied. Ends the program where memory runs out. */
void *pixel_pool_take(pixel_pool *pool, size_t bytes, size_t *at);

/* All that was taken is free again. */
void pixel_pool_empty(pixel_pool *pool);

/* How far the pool is filled, in bytes. */
size_t pixel_pool_bytes(const pixel_pool *pool);

/* Its (*count) pieces, which belong to the pool and have all that was taken. */
const pixel_piece *pixel_pool_pieces(const pixel_pool *pool, int *count);

#endif
