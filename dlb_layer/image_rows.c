#include "image_rows.h"

#include "cutout.h"
#include "fail.h"
#include "image_planes.h"
#include "mix_rows.h"
#include "pixel_math.h"
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

/* What the row's own stream says: the same for a row that is rendered here and for one that is not.
 */
static row_picture draw_picture(const image_rows *rows, const rgb_image *decoded,
                                const row_target *target) {
    const augment_settings *augment = &rows->augment;
    random_stream stream =
        random_stream_of(rows->seed, (uint64_t)target->id, (uint64_t)target->visit);
    row_picture picture = {.width = decoded->width, .height = decoded->height};
    picture.drawn = augment->pads
                        ? draw_pad_crop(augment, &stream)
                        : draw_augmentation(augment, decoded->width, decoded->height, &stream);
    picture.is_cut = rows->keys.cutout > 0;
    if (picture.is_cut)
        picture.cut = draw_cutout(rows->keys.cutout, augment->width, augment->height, &stream);
    return picture;
}

/* `fitted` is there with pad_crop only. */
static void render_row(const image_rows *rows, const rgb_image *decoded, const image *fitted,
                       const row_picture *picture, float *inputs) {
    const augment_settings *augment = &rows->augment;
    int width = augment->width, height = augment->height;
    if (augment->pads)
        render_pad_crop(fitted->data, &picture->drawn, augment, inputs);
    else
        render_augmented(decoded, &picture->drawn, width, height, inputs);
    if (rows->keys.normalises)
        normalise_planes(&rows->keys.statistics, (size_t)width * (size_t)height, inputs, inputs);
    if (picture->is_cut)
        cut_out(picture->cut, width, height, inputs);
}

/* For a device: pixels as they are or, where `fitted` has data, its planes. */
static void write_drawn_row(const image_rows *rows, const rgb_image *decoded, const image *fitted,
                            row_picture *picture, const row_target *target) {
    size_t plane = (size_t)decoded->width * (size_t)decoded->height;
    picture->is_planes = fitted->data != NULL;
    if (picture->is_planes) {
        picture->width = fitted->w;
        picture->height = fitted->h;
        plane = (size_t)fitted->w * (size_t)fitted->h;
        drawn_rows_keep(rows->drawn, target, fitted->data, 3 * plane * sizeof(float), picture);
    } else {
        drawn_rows_keep(rows->drawn, target, decoded->pixels, 3 * plane, picture);
    }
    if (!rows->augment.pads)
        picture->geometry = crop_geometry_of(&picture->drawn);
    *(drawn_row *)(void *)target->inputs = (drawn_row){.own = *picture};
}

static void write_inputs(const image_rows *rows, const rgb_image *decoded, const image *fitted,
                         const row_target *target) {
    row_picture picture = draw_picture(rows, decoded, target);
    if (rows->drawn)
        write_drawn_row(rows, decoded, fitted, &picture, target);
    else
        render_row(rows, decoded, fitted, &picture, target->inputs);
}

/* The pixels of an image of the network's size a device can pad by itself. */
static bool has_to_be_fitted(const image_rows *rows, const rgb_image *decoded) {
    const augment_settings *augment = &rows->augment;
    bool fits = decoded->width == augment->width && decoded->height == augment->height;
    return augment->pads && !(rows->drawn && fits);
}

bool load_image_rows(void *context, int number, const row_target *targets, int count,
                     char **reason) {
    const image_rows *rows = context;
    rgb_image decoded;
    image fitted = {0};
    if (!decode_image(rows->data->list.paths[number], &decoded, reason))
        return false;
    if (has_to_be_fitted(rows, &decoded))
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

/* The partner's picture beside the row's own. */
static void note_mix(drawn_row *all, int row, const row_mix *mix, bool blends) {
    all[row].pastes = mix->pastes;
    all[row].box = mix->box;
    all[row].blends = blends && mix->own != 1;
    all[row].part = mix->own;
    all[row].partner = all[mix->partner].own;
}

static void mix_drawn_rows(const image_rows *rows, const loaded_batch *batch, const row_mix *mixes,
                           int count) {
    mix_settings settings = mix_settings_of(rows);
    drawn_row *all = (drawn_row *)(void *)batch->inputs;
    for (int row = 0; row < rows->batch_rows; row++)
        note_mix(all, row, &mixes[row], settings.mixup > 0);
    mix_truths(&settings, mixes, count, batch->truths);
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
    if (rows->drawn)
        mix_drawn_rows(rows, batch, mixes, count);
    else
        mix_rows(&settings, mixes, count, batch->inputs, batch->truths);
    free(mixes);
}

static void clear_image_rows(void *context, int buffer) {
    const image_rows *rows = context;
    if (rows->drawn)
        drawn_rows_clear(rows->drawn, buffer);
}

image_source image_rows_source(image_rows *rows) {
    return (image_source){.context = rows,
                          .load = load_image_rows,
                          .finish = mixes_rows(&rows->keys) ? mix_image_rows : NULL,
                          .partner = mixes_rows(&rows->keys) ? find_partner : NULL,
                          .clear = clear_image_rows};
}

/* ---- rows that a device renders ---- */

void draw_image_rows(image_rows *rows, int subdivisions, batch_memory memory) {
    rows->drawn = drawn_rows_create(subdivisions, rows->batch_rows / subdivisions, memory);
}

void free_drawn_rows(image_rows *rows) {
    drawn_rows_free(rows->drawn);
    rows->drawn = NULL;
}

int row_inputs_of(const image_rows *rows) {
    if (rows->drawn)
        return DRAWN_ROW_FLOATS;
    return rows->augment.width * rows->augment.height * IMAGE_CHANNELS;
}

render_settings render_settings_of(const image_rows *rows) {
    return (render_settings){.width = rows->augment.width,
                             .height = rows->augment.height,
                             .pads = rows->augment.pads,
                             .pad = rows->augment.pad,
                             .normalises = rows->keys.normalises,
                             .statistics = rows->keys.statistics};
}
