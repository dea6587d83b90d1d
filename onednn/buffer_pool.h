/* Aligned buffers that are handed on between layers. A buffer is in use while anyone holds it,
 * and free for the next one who asks after the last holder drops it, so that gradients go
 * through memory that is still in the cache. Not thread-safe; one pool a network. */
#ifndef ONEDNN_BUFFER_POOL_H
#define ONEDNN_BUFFER_POOL_H

#include <stddef.h>

typedef struct buffer_pool buffer_pool;

typedef struct {
    float *data; /* aligned to 64 bytes; holds what the last user left */
    size_t floats;
    int holders;
} pool_buffer;

/* The caller releases it with buffer_pool_free(), after the last use of its buffers. */
buffer_pool *buffer_pool_create(void);
void buffer_pool_free(buffer_pool *pool);

/* A buffer of at least `floats`, held once. Ends the program where memory runs out. */
pool_buffer *pool_take(buffer_pool *pool, size_t floats);
void pool_hold(pool_buffer *buffer);
void pool_drop(pool_buffer *buffer); /* NULL is ignored */

/* Zeroed floats aligned to 64 bytes, released with free(). Ends the program where memory runs out.
 */
float *aligned_floats(size_t floats);

#endif
