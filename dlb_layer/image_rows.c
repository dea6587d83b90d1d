#include "image_rows.h"

#include "cutout.h"
#include "fail.h"
#include "image_planes.h"
#include "mix_rows.h"
#include "recipe.h"
#include "shared_network.h"

#include <stdlib.h>
#include <string.h>

/* Marks the ancestors of the true leaf; the host defines it in data.c without a prototype. */
void fill_hierarchy(float *truth, int k, tree *hierarchy);

/* Keys the streams of mixing apart from those of augmentation, whose subkey is the visit. */
static const uint64_t MIXING = (uint64_t)1 << 32;

augment_settings augment_settings_of(const network *net) {
    net_keys keys = recipe_keys(net);
    return (augment_settings){.width = net->w,
                              .height = net->h,
                              .min_side = (int)(net->min_ratio * (float)net->w),
                              .max_side = (int)(net->max_ratio * (float)net->w),
                              .angle = net->angle,
                              .aspect = net->aspect,
                              .hue = net->hue,
                              .saturation = net->saturation,
                              .exposure = net->exposure,
                              .flips = keys.flips,
                              .pads = keys.pads,
                              .pad = keys.pad_crop};
}

image_rows image_rows_of(const network *net, const classifier_data *data, uint64_t seed,
                         bool overlap) {
    return (image_rows){.data = data,
                        .augment = augment_settings_of(net),
                        .seed = seed,
                        .keys = recipe_keys(net),
                        .batch_rows = net->batch * count_own_shards(net) * net->subdivisions,
                        .mixed_rows = overlap ? rows_of_all(net) / 2 : rows_of_all(net)};
}

/* ---- one row ---- */

static void write_truth(const image_rows *rows, int label, float *truths) {
    const classifier_data *data = rows->data;
    float smoothing = rows->keys.label_smoothing, each = smoothing / (float)data->classes;
    for (int k = 0; k < data->classes; k++)
        truths[k] = each;
    if (label != NO_LABEL)
        truths[label] += 1 - smoothing;
    if (data->hierarchy)
        fill_hierarchy(truths, data->classes, data->hierarchy);
}

/* The image at the network's size, its square centre as validation takes it; an image that has the
 * size stays as it is, pixel by pixel. */
static image fit_image(const rgb_image *decoded, const augment_settings *augment) {
    image whole = image_planes(decoded);
    if (decoded->width == augment->width && decoded->height == augment->height)
        return whole;
    image fitted = center_crop_image(whole, augment->width, augment->height);
    free_image(whole);
    return fitted;
}

/* `fitted` is there with pad_crop only. */
static void write_inputs(const image_rows *rows, const rgb_image *decoded, const image *fitted,
                         const row_target *target) {
    const augment_settings *augment = &rows->augment;
    int width = augment->width, height = augment->height;
    random_stream stream =
        random_stream_of(rows->seed, (uint64_t)target->id, (uint64_t)target->visit);
    if (augment->pads) {
        augmentation drawn = draw_pad_crop(augment, &stream);
        render_pad_crop(fitted->data, &drawn, augment, target->inputs);
    } else {
        augmentation drawn = draw_augmentation(augment, decoded->width, decoded->height, &stream);
        render_augmented(decoded, &drawn, width, height, target->inputs);
    }
    if (rows->keys.normalises)
        normalise_planes(&rows->keys.statistics, (size_t)width * (size_t)height, target->inputs,
                         target->inputs);
    if (rows->keys.cutout)
        cut_out(draw_cutout(rows->keys.cutout, width, height, &stream), width, height,
                target->inputs);
}

bool load_image_rows(void *context, int number, const row_target *targets, int count,
                     char **reason) {
    const image_rows *rows = context;
    rgb_image decoded;
    image fitted = {0};
    if (!decode_image(rows->data->list.paths[number], &decoded, reason))
        return false;
    if (rows->augment.pads)
        fitted = fit_image(&decoded, &rows->augment);
    for (int i = 0; i < count; i++) {
        write_inputs(rows, &decoded, &fitted, &targets[i]);
        write_truth(rows, rows->data->list.labels[number], targets[i].truths);
    }
    free_image(fitted);
    free(decoded.pixels);
    return true;
}

/* ---- rows mixed with each other ---- */

static mix_settings mix_settings_of(const image_rows *rows) {
    return (mix_settings){.width = rows->augment.width,
                          .height = rows->augment.height,
                          .classes = rows->data->classes,
                          .mixup = rows->keys.mixup,
                          .cutmix = rows->keys.cutmix,
                          .cutmix_prob = rows->keys.cutmix_prob};
}

/* For row `row` of all; its partner is one of the group of rows that mix among themselves.
 */
static row_mix draw_mix(const image_rows *rows, sample tag, int row) {
    mix_settings settings = mix_settings_of(rows);
    random_stream stream =
        random_stream_of(rows->seed, (uint64_t)tag.id, MIXING + (uint64_t)tag.visit);
    return draw_row_mix(&settings, row % rows->mixed_rows, rows->mixed_rows, &stream);
}

static int find_partner(void *context, const sample *samples, int row) {
    const image_rows *rows = context;
    row_mix mix = draw_mix(rows, samples[row], row);
    bool alone = rows->keys.cutmix > 0 ? !mix.pastes : mix.own == 1;
    return alone ? row : row - row % rows->mixed_rows + mix.partner;
}

static void mix_image_rows(void *context, const loaded_batch *batch) {
    const image_rows *rows = context;
    mix_settings settings = mix_settings_of(rows);
    int count = rows->batch_rows + batch->guests;
    row_mix *mixes = allocate((size_t)count, sizeof *mixes);
    for (int row = 0; row < count; row++)
        if (row < rows->batch_rows) {
            mixes[row] = draw_mix(rows, batch->samples[row], 0);
            mixes[row].partner = batch->partners[row];
        } else {
            mixes[row] = (row_mix){.partner = row, .own = 1};
        }
    mix_rows(&settings, mixes, count, batch->inputs, batch->truths);
    free(mixes);
}

image_source image_rows_source(image_rows *rows) {
    return (image_source){.context = rows,
                          .load = load_image_rows,
                          .finish = mixes_rows(&rows->keys) ? mix_image_rows : NULL,
                          .partner = mixes_rows(&rows->keys) ? find_partner : NULL};
}
