#include "drawn_rows.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

/* Rows lie one after the other in a buffer of floats. */
_Static_assert(sizeof(drawn_row) % sizeof(float) == 0, "a row is a whole number of floats");

struct drawn_rows {
    int slots, rows;
    pixel_pool **pools; /* (LOADER_BUFFERS, slots) */
};

static int pool_count(const drawn_rows *rows) {
    return LOADER_BUFFERS * rows->slots;
}

drawn_rows *drawn_rows_create(int slots, int rows, batch_memory memory) {
    drawn_rows *d = allocate(1, sizeof *d);
    d->slots = slots;
    d->rows = rows;
    d->pools = allocate((size_t)pool_count(d),
                        sizeof *d->pools); // NOLINT(bugprone-sizeof-expression): of pointers
    for (int i = 0; i < pool_count(d); i++)
        d->pools[i] = pixel_pool_create(memory);
    return d;
}

void drawn_rows_free(drawn_rows *rows) {
    if (!rows)
        return;
    for (int i = 0; i < pool_count(rows); i++)
        pixel_pool_free(rows->pools[i]);
    free(rows->pools);
    free(rows);
}

static pixel_pool *pool_of(const drawn_rows *rows, int buffer, int slot) {
    return rows->pools[buffer * rows->slots + slot];
}

void drawn_rows_clear(drawn_rows *rows, int buffer) {
    for (int slot = 0; slot < rows->slots; slot++)
        pixel_pool_empty(pool_of(rows, buffer, slot));
}

void drawn_rows_keep(drawn_rows *rows, const row_target *target, const void *pixels, size_t bytes,
                     row_picture *picture) {
    pixel_pool *pool = pool_of(rows, target->buffer, target->slot);
    memcpy(pixel_pool_take(pool, bytes, &picture->at), pixels, bytes);
}

/* ---- to a device ---- */

drawn_block drawn_rows_block(const drawn_rows *rows, const loaded_batch *batch,
                             const render_settings *settings, int slot) {
    const drawn_row *all = (const drawn_row *)(const void *)batch->inputs;
    size_t count = (size_t)rows->rows;
    return (drawn_block){.settings = *settings,
                         .rows = all + (size_t)slot * count,
                         .count = count,
                         .pixels = pool_of(rows, batch->buffer, slot)};
}

static void send_pool(const pixel_pool *pool, const row_painter *painter) {
    int count;
    const pixel_piece *pieces = pixel_pool_pieces(pool, &count);
    painter->make_room(painter->context, DRAWN_PIXELS, pixel_pool_bytes(pool));
    for (int i = 0; i < count; i++)
        painter->copy(painter->context, DRAWN_PIXELS, pieces[i].at, pieces[i].from,
                      pieces[i].bytes);
}

void send_drawn_block(const drawn_block *block, const row_painter *painter) {
    size_t bytes = block->count * sizeof *block->rows;
    send_pool(block->pixels, painter);
    painter->make_room(painter->context, DRAWN_ROWS, bytes);
    painter->copy(painter->context, DRAWN_ROWS, 0, block->rows, bytes);
    painter->render(painter->context, &block->settings, block->count);
}
