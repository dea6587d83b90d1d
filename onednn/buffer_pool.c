#include "buffer_pool.h"

#include "fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct buffer_pool {
    pool_buffer **buffers;
    int count, capacity;
};

float *aligned_floats(size_t floats) {
    size_t bytes = (floats * sizeof(float) + 63) / 64 * 64;
    float *data = aligned_alloc(64, bytes ? bytes : 64);
    if (!data)
        fail("no memory for %zu MiB", bytes >> 20);
    memset(data, 0, bytes);
    return data;
}

buffer_pool *buffer_pool_create(void) {
    return allocate(1, sizeof(buffer_pool));
}

void buffer_pool_free(buffer_pool *pool) {
    for (int i = 0; i < pool->count; i++) {
        free(pool->buffers[i]->data);
        free(pool->buffers[i]);
    }
    free(pool->buffers);
    free(pool);
}

static void enter(buffer_pool *pool, pool_buffer *buffer) {
    if (pool->count == pool->capacity) {
        int capacity = pool->capacity * 2 + 8;
        pool_buffer **wider = allocate((size_t)capacity, sizeof(pool_buffer *));
        for (int i = 0; i < pool->count; i++)
            wider[i] = pool->buffers[i];
        free(pool->buffers);
        pool->buffers = wider;
        pool->capacity = capacity;
    }
    pool->buffers[pool->count++] = buffer;
}

/* The smallest free buffer that is large enough, or NULL. */
static pool_buffer *find(const buffer_pool *pool, size_t floats) {
    pool_buffer *best = NULL;
    for (int i = 0; i < pool->count; i++) {
        pool_buffer *b = pool->buffers[i];
        if (!b->holders && b->floats >= floats && (!best || b->floats < best->floats))
            best = b;
    }
    return best;
}

pool_buffer *pool_take(buffer_pool *pool, size_t floats) {
    pool_buffer *buffer = find(pool, floats);
    if (!buffer) {
        buffer = allocate(1, sizeof *buffer);
        buffer->data = aligned_floats(floats);
        buffer->floats = floats;
        enter(pool, buffer);
    }
    buffer->holders = 1;
    return buffer;
}

void pool_hold(pool_buffer *buffer) {
    buffer->holders++;
}

void pool_drop(pool_buffer *buffer) {
    if (!buffer)
        return;
    assert(buffer->holders > 0);
    buffer->holders--;
}
