/* augment_on_gpu=1 of [net]: rows whose images the loader's workers decode and whose augmentation
 * they draw, and which a device renders. Here is where their pixels wait, and the order in which
 * they go to the device; what is done there is a row_painter's, so that this part is the same, and
 * tested, where there is no device.
 *
 * Each of the loader's buffers has a pool of pixels for each micro-batch, whose guests' pixels are
 * there too. They are filled and emptied with the buffer, and sent with the micro-batch. */
#ifndef DRAWN_ROWS_H
#define DRAWN_ROWS_H

#include "drawn_row.h"
#include "pixel_pool.h"

/* Floats of a row in the loader's buffers. */
enum { DRAWN_ROW_FLOATS = sizeof(drawn_row) / sizeof(float) };

typedef struct drawn_rows drawn_rows;

/* For iterations of `slots` micro-batches of `rows` rows. The pools' blocks lie in `memory`. The
 * caller frees it with drawn_rows_free(), after the loader. */
drawn_rows *drawn_rows_create(int slots, int rows, batch_memory memory);

/* Accepts NULL. */
void drawn_rows_free(drawn_rows *rows);

/* See image_source.clear. */
void drawn_rows_clear(drawn_rows *rows, int buffer);

/* Copies the pixels of the target's image, (bytes), to where they wait, and notes in the picture
 * where that is. Any number of threads on different targets. */
void drawn_rows_keep(drawn_rows *rows, const row_target *target, const void *pixels, size_t bytes,
                     row_picture *picture);

/* ---- to a device ---- */

/* A micro-batch in the host's memory. */
typedef struct {
    render_settings settings;
    const drawn_row *rows; /* (count) */
    size_t count;
    const pixel_pool *pixels;
} drawn_block;

/* Micro-batch number `slot` of a buffer. */
drawn_block drawn_rows_block(const drawn_rows *rows, const loaded_batch *batch,
                             const render_settings *settings, int slot);

/* Its parts, each in an array of its own on the device. */
typedef enum { DRAWN_PIXELS, DRAWN_ROWS, DRAWN_PARTS } drawn_part;

typedef struct {
    void *context;
    /* Sees to it that the part's array has this many bytes; what is in it is lost. */
    void (*make_room)(void *context, drawn_part part, size_t bytes);
    /* Starts a copy to byte `at` of the part's array. What is copied must stay as it is until the
     * rows are rendered. */
    void (*copy)(void *context, drawn_part part, size_t at, const void *from, size_t bytes);
    /* Renders `count` rows from the two arrays, after the copies and before the next ones. */
    void (*render)(void *context, const render_settings *settings, size_t count);
} row_painter;

/* Does not wait. */
void send_drawn_block(const drawn_block *block, const row_painter *painter);

#endif
