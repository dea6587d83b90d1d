/* A seeded random order, the same on every machine. */
#ifndef DLB_RANDOM_ORDER_H
#define DLB_RANDOM_ORDER_H

#include <stddef.h>

#include "fail.h"
#include "random_stream.h"

/* 0 .. count-1 shuffled (Fisher and Yates), drawn from `stream`. The caller frees it. */
static inline size_t *random_order(random_stream stream, size_t count) {
    size_t *order = (size_t *)allocate(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(&stream, i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    return order;
}

#endif
