#include "logit_ring.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

enum { NO_SAMPLE = -1 };

struct logit_ring {
    int slots;
    int rows;
    int classes;
    float *logits; /* (slots, rows, classes) */
    int64_t *ids;  /* (slots, rows) */
};

logit_ring *logit_ring_create(int slots, int rows, int classes) {
    logit_ring *ring = allocate(1, sizeof *ring);
    size_t tags = (size_t)slots * (size_t)rows;
    ring->slots = slots;
    ring->rows = rows;
    ring->classes = classes;
    ring->logits = allocate(tags * (size_t)classes, sizeof *ring->logits);
    ring->ids = allocate(tags, sizeof *ring->ids);
    logit_ring_clear(ring);
    return ring;
}

void logit_ring_clear(logit_ring *ring) {
    size_t tags = (size_t)ring->slots * (size_t)ring->rows;
    for (size_t i = 0; i < tags; i++)
        ring->ids[i] = NO_SAMPLE;
}

void logit_ring_free(logit_ring *ring) {
    if (!ring)
        return;
    free(ring->logits);
    free(ring->ids);
    free(ring);
}

size_t logit_ring_bytes(const logit_ring *ring) {
    size_t tags = (size_t)ring->slots * (size_t)ring->rows;
    return tags * ((size_t)ring->classes * sizeof *ring->logits + sizeof *ring->ids);
}

const float *logit_ring_find(const logit_ring *ring, int slot, int expected_row, int64_t id) {
    size_t first = (size_t)slot * (size_t)ring->rows;
    size_t found = first + (size_t)expected_row;
    if (ring->ids[found] != id) {
        size_t end = first + (size_t)ring->rows;
        for (found = first; found < end && ring->ids[found] != id; found++)
            ;
        if (found == end)
            return NULL;
    }
    return ring->logits + found * (size_t)ring->classes;
}

void logit_ring_store(logit_ring *ring, int slot, const float *logits, const int64_t *ids) {
    size_t first = (size_t)slot * (size_t)ring->rows;
    size_t values = (size_t)ring->rows * (size_t)ring->classes;
    memcpy(ring->logits + first * (size_t)ring->classes, logits, values * sizeof *logits);
    memcpy(ring->ids + first, ids, (size_t)ring->rows * sizeof *ids);
}

logit_ring_contents logit_ring_all(logit_ring *ring) {
    return (logit_ring_contents){.logits = ring->logits,
                                 .ids = ring->ids,
                                 .rows = (size_t)ring->slots * (size_t)ring->rows,
                                 .classes = (size_t)ring->classes};
}
