/* When arrays that all go through a flat buffer are gathered there, and buckets of it sent, while
 * the backward pass goes from the last layer to the first. Who gathers and sends is the caller's:
 * nothing here knows of MPI or CUDA. */
#ifndef BUCKET_FLOW_H
#define BUCKET_FLOW_H

#include "gradient_buckets.h"

/* Neither is called for nothing. */
typedef struct {
    void *context;
    void (*gather)(void *context, int first, int end); /* arrays first to end - 1 are complete */
    void (*send)(void *context, int number);           /* bucket `number` is in the flat buffer */
} bucket_carrier;

typedef struct {
    bucket_carrier carrier;
    const bucket_array *arrays; /* (array_count), none of them IN_PLACE; the caller's */
    const bucket *buckets;      /* (bucket_count), as plan_buckets() gives them; the caller's */
    int array_count, bucket_count;
    int gathered, sent; /* 0 before a pass */
} bucket_flow;

/* The backward pass has gone through `layer`: gathers and sends each bucket that is complete now,
 * in order. With 0 all of them are sent. */
void advance_bucket_flow(bucket_flow *flow, int layer);

#endif
