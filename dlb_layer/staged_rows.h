/* The rows of one micro-batch on their way to a device, ahead of the step that trains on them:
 * which rows those are, and what has to be waited for. The copying itself is a row_carrier's, so
 * that this part is the same, and tested, where there is no device.
 *
 * One thread calls all of it. */
#ifndef STAGED_ROWS_H
#define STAGED_ROWS_H

#include "drawn_rows.h"

#include <stdbool.h>
#include <stddef.h>

/* In the host's memory, which is not the rows' own. */
typedef struct {
    const float *inputs; /* (input_count), or what `drawn` has in their place */
    const float *truths; /* (truth_count) */
    size_t input_count, truth_count;
    const drawn_block *drawn; /* read by send() alone, for rows to be rendered there; or NULL */
} row_block;

typedef struct {
    void *context;
    /* Starts a copy of the rows to where they wait on the device, after the last take() there. The
     * rows must stay as they are until wait() has returned. Does not wait. */
    void (*send)(void *context, const row_block *rows);
    /* Hands over to the network what was sent last, in order with its work. Does not wait. */
    void (*take)(void *context, const row_block *rows);
    /* Returns when all that was sent has left the host's memory. */
    void (*wait)(void *context);
} row_carrier;

typedef struct {
    row_carrier carrier;
    row_block rows;
    bool has_rows; /* `rows` were sent and not yet taken */
} staged_rows;

/* Sends the rows, in place of others that nobody took; does nothing where they have been sent. */
void send_rows(staged_rows *staged, const row_block *rows);

/* Whether these rows were sent and not yet taken; they are taken then. Others stay. */
bool take_rows(staged_rows *staged, const row_block *rows);

/* Before the host's memory is written or freed: waits, and with `forget` nothing is staged then. */
void settle_rows(staged_rows *staged, bool forget);

#endif
