/* From a line of the training list to rows of the network's input: decode, augment, label, and
 * rows mixed with each other. docs/recipe.md has the order. */
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include "augment.h"
#include "classifier_data.h"
#include "drawn_rows.h"
#include "net_keys.h"
#include "overlap_loader.h"

#include <stdint.h>

typedef struct {
    const classifier_data *data;
    augment_settings augment;
    uint64_t seed;
    net_keys keys;
    int batch_rows; /* of an iteration, the rank's own */
    int mixed_rows; /* consecutive rows of all ranks that mix among themselves: half a micro-batch
                       with overlap, a whole one without */
    drawn_rows *drawn; /* a device renders the rows; NULL: they are rendered here */
} image_rows;

/* The [net] section's augmentation, for the network's present size. */
augment_settings augment_settings_of(const network *net);

/* The rows of this network's training. The caller sees to it that `data` lives as long. */
image_rows image_rows_of(const network *net, const classifier_data *data, uint64_t seed,
                         bool overlap);

/* Leaves the rendering to a device: the loader's rows are drawn_row's from now on, and their images
 * wait in `memory`. Before the loader is created; free_drawn_rows() after it is freed. */
void draw_image_rows(image_rows *rows, int subdivisions, batch_memory memory);

/* For draw_image_rows(); does nothing without. */
void free_drawn_rows(image_rows *rows);

/* Floats of a row in the loader's buffers. */
int row_inputs_of(const image_rows *rows);

/* What a device has to know to render the rows. */
render_settings render_settings_of(const image_rows *rows);

/* The loader's source, whose context is `rows`: its members must not change or move while workers
 * run. A row depends on seed, id and visit alone and, where rows are mixed, on which images are
 * its neighbours in the batch. */
image_source image_rows_source(image_rows *rows);

/* See image_source.load; context is an image_rows. */
bool load_image_rows(void *context, int image, const row_target *targets, int count, char **reason);

#endif
