#include "pixel_pool.h"

#include "fail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 };

struct pixel_pool {
    batch_memory memory;
    float *block;         /* NULL: none yet */
    size_t room;          /* bytes of the block */
    pthread_mutex_t lock; /* guards what follows while room is taken */
    size_t filled;
    pixel_piece *pieces; /* (count), of room for `most`; the first one is the block's, if any */
    int count, most;
};

pixel_pool *pixel_pool_create(batch_memory memory) {
    pixel_pool *pool = allocate(1, sizeof *pool);
    pool->memory = memory;
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static void drop_block(pixel_pool *pool) {
    if (pool->memory.drop)
        pool->memory.drop(pool->block);
    else
        free(pool->block);
}

static void make_block(pixel_pool *pool, size_t bytes) {
    size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
    drop_block(pool);
    pool->block = pool->memory.make ? pool->memory.make(floats) : allocate(floats, sizeof(float));
    pool->room = floats * sizeof(float);
}

static bool is_blocks(const pixel_pool *pool, const pixel_piece *piece) {
    return piece->from == pool->block;
}

static void drop_pieces(pixel_pool *pool) {
    for (int i = 0; i < pool->count; i++)
        if (!is_blocks(pool, &pool->pieces[i]))
            free((void *)pool->pieces[i].from);
    pool->count = 0;
}

void pixel_pool_free(pixel_pool *pool) {
    if (!pool)
        return;
    drop_pieces(pool);
    drop_block(pool);
    pthread_mutex_destroy(&pool->lock);
    free(pool->pieces);
    free(pool);
}

static pixel_piece *add_piece(pixel_pool *pool) {
    if (pool->count == pool->most) {
        int most = 2 * pool->most + 4;
        pixel_piece *pieces = allocate((size_t)most, sizeof *pieces);
        if (pool->count)
            memcpy(pieces, pool->pieces, (size_t)pool->count * sizeof *pieces);
        free(pool->pieces);
        pool->pieces = pieces;
        pool->most = most;
    }
    return &pool->pieces[pool->count++];
}

/* With the lock held. */
static void *place(pixel_pool *pool, size_t at, size_t bytes) {
    if (at + bytes > pool->room) {
        void *memory = allocate(bytes, 1);
        *add_piece(pool) = (pixel_piece){memory, at, bytes};
        return memory;
    }
    if (!pool->count) /* the first that was taken */
        *add_piece(pool) = (pixel_piece){.from = pool->block};
    pool->pieces[0].bytes = at + bytes;
    return (unsigned char *)pool->block + at;
}

void *pixel_pool_take(pixel_pool *pool, size_t bytes, size_t *at) {
    pthread_mutex_lock(&pool->lock);
    *at = pool->filled;
    void *memory = place(pool, pool->filled, bytes);
    pool->filled += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pthread_mutex_unlock(&pool->lock);
    return memory;
}

/* With something to spare, so that images that are a little larger the next time fit in too. */
void pixel_pool_empty(pixel_pool *pool) {
    drop_pieces(pool);
    if (pool->filled > pool->room)
        make_block(pool, pool->filled + pool->filled / 8);
    pool->filled = 0;
}

size_t pixel_pool_bytes(const pixel_pool *pool) {
    return pool->filled;
}

const pixel_piece *pixel_pool_pieces(const pixel_pool *pool, int *count) {
    *count = pool->count;
    return pool->pieces;
}
