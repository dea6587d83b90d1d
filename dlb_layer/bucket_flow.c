#include "bucket_flow.h"

static void gather_before(bucket_flow *f, size_t end) {
    int first = f->gathered;
    while (f->gathered < f->array_count && f->arrays[f->gathered].at < end)
        f->gathered++;
    if (f->gathered > first)
        f->carrier.gather(f->carrier.context, first, f->gathered);
}

void advance_bucket_flow(bucket_flow *f, int layer) {
    for (; f->sent < f->bucket_count && f->buckets[f->sent].layer >= layer; f->sent++) {
        const bucket *b = &f->buckets[f->sent];
        gather_before(f, b->from + b->count);
        f->carrier.send(f->carrier.context, f->sent);
    }
}
