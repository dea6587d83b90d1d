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

static void add_parts(bucket_list *list, const bucket_array *a, int array, size_t most) {
    for (size_t from = 0; from < a->count; from += most) {
        size_t left = a->count - from;
        add_bucket(list, (bucket){a->layer, array, from, left < most ? left : most});
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
            add_parts(&list, a, i, most);
            continue;
        }
        a->at = flat;
        flat += a->count;
        if (flat - sent >= floats) {
            add_bucket(&list, (bucket){a->layer, -1, sent, flat - sent});
            sent = flat;
        }
    }
    if (flat > sent)
        add_bucket(&list, (bucket){arrays[count - 1].layer, -1, sent, flat - sent});
    *bucket_count = list.count;
    *flat_floats = flat;
    return list.buckets;
}
