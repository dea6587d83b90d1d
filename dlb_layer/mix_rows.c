#include "mix_rows.h"

#include "fail.h"
#include "normalise.h"
#include "pixel_math.h"
#include "random_beta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is drawn ---- */

static row_mix draw_paste(const mix_settings *s, row_mix mix, random_stream *stream) {
    if (random_uniform(stream, 0, 1) >= s->cutmix_prob)
        return mix;                                         /* the row stays whole */
    double side = sqrt(1 - random_beta(stream, s->cutmix)); /* in parts of the image's */
    int x = (int)random_below(stream, (uint64_t)s->width);
    int y = (int)random_below(stream, (uint64_t)s->height);
    mix.pastes = true;
    mix.box =
        box_around(x, y, (int)(s->width * side), (int)(s->height * side), s->width, s->height);
    mix.own = (float)(1 - (double)box_area(mix.box) / ((double)s->width * s->height));
    return mix;
}

row_mix draw_row_mix(const mix_settings *s, int row, int rows, random_stream *stream) {
    int others = 1 + (int)random_below(stream, (uint64_t)(rows - 1));
    row_mix mix = {.partner = (row + others) % rows, .own = 1};
    if (s->cutmix > 0)
        return draw_paste(s, mix, stream);
    mix.own = (float)random_beta(stream, s->mixup);
    return mix;
}

/* ---- a stretch of all rows at a time ---- */

/* A stretch of each row, `stride` floats from one row to the next, and room for a copy of it, from
 * which the partners are read. */
typedef struct {
    int rows;
    size_t stride, length;
    float *at;
    float *copies; /* (rows, length) */
} stretch;

static void copy_stretch(const stretch *s) {
    for (size_t row = 0; row < (size_t)s->rows; row++)
        memcpy(s->copies + row * s->length, s->at + row * s->stride, s->length * sizeof *s->at);
}

static void blend_stretch(const stretch *s, const row_mix *mixes) {
    copy_stretch(s);
    for (size_t row = 0; row < (size_t)s->rows; row++) {
        float own = mixes[row].own, *at = s->at + row * s->stride;
        const float *partner = s->copies + (size_t)mixes[row].partner * s->length;
        if (own == 1)
            continue;
        for (size_t i = 0; i < s->length; i++)
            at[i] = blended(own, at[i], partner[i]);
    }
}

/* The stretch is line y of one plane. */
static void paste_line(const stretch *s, const row_mix *mixes, int y) {
    copy_stretch(s);
    for (size_t row = 0; row < (size_t)s->rows; row++) {
        const row_mix *mix = &mixes[row];
        if (!mix->pastes || y < mix->box.top || y >= mix->box.bottom)
            continue;
        memcpy(s->at + row * s->stride + mix->box.left,
               s->copies + (size_t)mix->partner * s->length + mix->box.left,
               (size_t)(mix->box.right - mix->box.left) * sizeof *s->at);
    }
}

/* ---- all of it ---- */

static void mix_inputs(const mix_settings *settings, const row_mix *mixes, int rows, float *inputs,
                       float *copies) {
    size_t width = (size_t)settings->width, lines = (size_t)settings->height * IMAGE_CHANNELS;
    for (size_t line = 0; line < lines; line++) {
        stretch s = {rows, lines * width, width, inputs + line * width, copies};
        if (settings->cutmix > 0)
            paste_line(&s, mixes, (int)(line % (size_t)settings->height));
        else
            blend_stretch(&s, mixes);
    }
}

/* `room` classes at a time, for whose copies there is room. */
static void mix_truths_within(const mix_settings *settings, const row_mix *mixes, int rows,
                              float *truths, float *copies, size_t room) {
    size_t classes = (size_t)settings->classes;
    for (size_t first = 0; first < classes; first += room) {
        size_t length = classes - first < room ? classes - first : room;
        stretch s = {rows, classes, length, truths + first, copies};
        blend_stretch(&s, mixes);
    }
}

static float *make_copies(const mix_settings *settings, int rows) {
    return allocate((size_t)rows * (size_t)settings->width, sizeof(float));
}

void mix_rows(const mix_settings *settings, const row_mix *mixes, int rows, float *inputs,
              float *truths) {
    float *copies = make_copies(settings, rows);
    mix_inputs(settings, mixes, rows, inputs, copies);
    mix_truths_within(settings, mixes, rows, truths, copies, (size_t)settings->width);
    free(copies);
}

void mix_truths(const mix_settings *settings, const row_mix *mixes, int rows, float *truths) {
    float *copies = make_copies(settings, rows);
    mix_truths_within(settings, mixes, rows, truths, copies, (size_t)settings->width);
    free(copies);
}
