/* From a line of the training list to rows of the network's input: decode, augment, label. */
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include "augment.h"
#include "classifier_data.h"
#include "overlap_loader.h"

#include <stdint.h>

typedef struct {
    const classifier_data *data;
    augment_settings augment;
    uint64_t seed;
} image_rows;

/* The [net] section's augmentation, for the network's present size. */
augment_settings augment_settings_of(const network *net);

/* The loader's source: context is an image_rows, whose members must not change while workers run.
 * A row's augmentation depends on seed, id and visit alone; see image_source.load. */
bool load_image_rows(void *context, int image, const row_target *targets, int count, char **reason);

#endif
