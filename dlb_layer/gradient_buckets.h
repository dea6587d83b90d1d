/* Arrays of gradients in messages: large ones go from where they are, small ones share a flat
 * buffer until it is worth a message. Nothing here knows of MPI. */
#ifndef GRADIENT_BUCKETS_H
#define GRADIENT_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>

/* One array, in the order in which the backward pass is done with them. */
typedef struct {
    size_t count; /* floats, > 0 */
    int layer;    /* never more than that of the array before */
    bool copies;  /* into the flat buffer, whatever its size */
    size_t at;    /* set by plan_buckets(): the place in the flat buffer; IN_PLACE: none */
} bucket_array;

#define IN_PLACE ((size_t)-1)

/* One message. */
typedef struct bucket {
    int layer; /* once the backward pass has gone through this layer, it can be sent */
    int array; /* a part of this one; -1: of the flat buffer */
    size_t from, count;
} bucket;

/* What to send, in this order, whose layers do not increase: a fresh array of *bucket_count, which
 * the caller frees. A message from the flat buffer has at least `floats`, but for the last one;
 * arrays that are as large themselves are sent from where they are. What is larger than `most` goes
 * in parts. Sets arrays[].at. *flat_floats receives the size of the flat buffer. */
bucket *plan_buckets(bucket_array *arrays, int count, size_t floats, size_t most, int *bucket_count,
                     size_t *flat_floats);

#endif
