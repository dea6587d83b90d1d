#include "image_rows.h"

#include <stdlib.h>
#include <string.h>

/* Marks the ancestors of the true leaf; the host defines it in data.c without a prototype. */
void fill_hierarchy(float *truth, int k, tree *hierarchy);

augment_settings augment_settings_of(const network *net) {
    return (augment_settings){.width = net->w,
                              .height = net->h,
                              .min_side = (int)(net->min_ratio * (float)net->w),
                              .max_side = (int)(net->max_ratio * (float)net->w),
                              .angle = net->angle,
                              .aspect = net->aspect,
                              .hue = net->hue,
                              .saturation = net->saturation,
                              .exposure = net->exposure};
}

static void write_truth(const classifier_data *data, int label, float *truths) {
    memset(truths, 0, (size_t)data->classes * sizeof *truths);
    if (label != NO_LABEL)
        truths[label] = 1;
    if (data->hierarchy)
        fill_hierarchy(truths, data->classes, data->hierarchy);
}

bool load_image_rows(void *context, int image, const row_target *targets, int count,
                     char **reason) {
    const image_rows *rows = context;
    const augment_settings *augment = &rows->augment;
    rgb_image decoded;
    if (!decode_image(rows->data->list.paths[image], &decoded, reason))
        return false;
    for (int i = 0; i < count; i++) {
        random_stream stream =
            random_stream_of(rows->seed, (uint64_t)targets[i].id, (uint64_t)targets[i].visit);
        augmentation drawn = draw_augmentation(augment, decoded.width, decoded.height, &stream);
        render_augmented(&decoded, &drawn, augment->width, augment->height, targets[i].inputs);
        write_truth(rows->data, rows->data->list.labels[image], targets[i].truths);
    }
    free(decoded.pixels);
    return true;
}
