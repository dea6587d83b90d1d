#include "gradient_buckets.h"

#include "fail.h"

#include <stdlib.h>

typedef struct {
    bucket *buckets;
    int count, room;
} bucket_list;

static void add_bucket(bucket_list *list, bucket b) {
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->buckets = realloc(list->buckets, (size_t)list->room * sizeof *list->buckets);
        if (!list->buckets)
            fail("out of memory for %d messages of gradients", list->room);
    }
    list->buckets[list->count++] = b;
}

/* The floats from `from` to before `to`, of an array or, with -1, of the flat buffer. */
static void add_parts(bucket_list *list, int layer, int array, size_t from, size_t to,
                      size_t most) {
    for (size_t part; from < to; from += part) {
        part = to - from < most ? to - from : most;
        add_bucket(list, (bucket){layer, array, from, part});
    }
}

bucket *plan_buckets(bucket_array *arrays, int count, size_t floats, size_t most, int *bucket_count,
                     size_t *flat_floats) {
    bucket_list list = {0};
    size_t sent = 0, flat = 0; /* of the flat buffer */
    for (int i = 0; i < count; i++) {
        bucket_array *a = &arrays[i];
        a->at = IN_PLACE;
        if (a->count >= floats && !a->copies) {
            add_parts(&list, a->layer, i, 0, a->count, most);
            continue;
        }
        a->at = flat;
        flat += a->count;
        if (flat - sent >= floats) {
            add_parts(&list, a->layer, -1, sent, flat, most);
            sent = flat;
        }
    }
    if (flat > sent)
        add_parts(&list, arrays[count - 1].layer, -1, sent, flat, most);
    *bucket_count = list.count;
    *flat_floats = flat;
    return list.buckets;
}
