/* Rows mixed with each other, inputs and truths alike: mixup (Zhang et al., ICLR 2018) and CutMix
 * (Yun et al., ICCV 2019). */
#ifndef MIX_ROWS_H
#define MIX_ROWS_H

#include "image_box.h"
#include "random_stream.h"

#include <stdbool.h>

typedef struct {
    int width, height;   /* rows of inputs are (3, height, width) */
    int classes;         /* rows of truths are (classes) */
    float mixup, cutmix; /* shape of the Beta distribution; one of them is 0 */
    float cutmix_prob;   /* part of the rows that cutmix mixes */
} mix_settings;

/* What was drawn for one visit of one row. */
typedef struct {
    int partner;   /* another row of the group */
    float own;     /* lambda: the row's own part in the truths and, for mixup, in the inputs */
    bool pastes;   /* the partner's pixels take the place of the row's own inside `box` */
    image_box box; /* with pastes */
} row_mix;

/* For row number `row` of a group of `rows`, at least 2. lambda is drawn from Beta(a, a); for
 * cutmix a box of the part 1 - lambda of the image's area lies about a uniformly drawn pixel, and
 * own becomes what its clipped part leaves of the image. */
row_mix draw_row_mix(const mix_settings *settings, int row, int rows, random_stream *stream);

/* Mixes the group in place; each row gets its partner as that was before. inputs is (rows, 3,
 * height, width), truths is (rows, classes), mixes is (rows). Any number of threads on different
 * groups. */
void mix_rows(const mix_settings *settings, const row_mix *mixes, int rows, float *inputs,
              float *truths);

/* The truths alone, where the inputs are not there. */
void mix_truths(const mix_settings *settings, const row_mix *mixes, int rows, float *truths);

#endif
