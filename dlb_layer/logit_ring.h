/* The ring of last-iteration logits: the teacher of DLB.
 *
 * One slot per micro-batch of an iteration (batch/subdivisions rows each). A slot holds the
 * logits of the rows that were new in that micro-batch, each tagged with its sample id, until
 * the same micro-batch of the next iteration overwrites it. Nothing grows.
 *
 * Not for use by several threads at once. */
#ifndef LOGIT_RING_H
#define LOGIT_RING_H

#include <stddef.h>
#include <stdint.h>

typedef struct logit_ring logit_ring;

/* A ring of `slots` slots of `rows` rows of `classes` logits, all rows empty. The caller owns it
 * and releases it with logit_ring_free. Ends the program where memory runs out. */
logit_ring *logit_ring_create(int slots, int rows, int classes);

/* Accepts NULL. */
void logit_ring_free(logit_ring *ring);

/* The memory that all slots take, logits and ids. */
size_t logit_ring_bytes(const logit_ring *ring);

/* The (classes) logits stored in `slot` under sample `id`, or NULL if the slot has no such row.
 * Looks at row `expected_row` first, where the id stands when the order still fits. The pointer
 * belongs to the ring and is valid until the slot's next logit_ring_store. */
const float *logit_ring_find(const logit_ring *ring, int slot, int expected_row, int64_t id);

/* Empties all rows of all slots. */
void logit_ring_clear(logit_ring *ring);

/* Replaces all rows of `slot`: copies logits (rows, classes), row-major, and ids (rows). Ids are
 * not negative. */
void logit_ring_store(logit_ring *ring, int slot, const float *logits, const int64_t *ids);

/* All that a ring holds. */
typedef struct {
    float *logits; /* (rows, classes), slot by slot; the ring's own */
    int64_t *ids;  /* (rows), negative where a row is empty */
    size_t rows, classes;
} logit_ring_contents;

/* Its contents, to be read or replaced. */
logit_ring_contents logit_ring_all(logit_ring *ring);

#endif
