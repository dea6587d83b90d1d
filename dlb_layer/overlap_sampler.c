#include "overlap_sampler.h"

#include "fail.h"
#include "random_stream.h"

#include <stdlib.h>
#include <string.h>

/* Keys the shuffle's streams apart from the augmentation's, which are keyed by sample. */
static const uint64_t SHUFFLE_KEY = UINT64_MAX;

struct overlap_sampler {
    int images;
    int slots;
    int rows;
    bool overlap;
    bool shuffles;
    uint64_t seed;
    uint64_t epoch;   /* epochs begun */
    int *order;       /* (images), the running epoch's shuffle */
    int next;         /* position in `order` */
    int64_t draws;    /* new samples handed out so far */
    sample *previous; /* (slots, rows), the last iteration; its second halves are revisited */
};

overlap_sampler *overlap_sampler_create(int images, int slots, int rows, bool overlap,
                                        uint64_t seed) {
    overlap_sampler *s = allocate(1, sizeof *s);
    s->images = images;
    s->slots = slots;
    s->rows = rows;
    s->overlap = overlap;
    s->shuffles = true;
    s->seed = seed;
    s->order = allocate((size_t)images, sizeof *s->order);
    s->next = images; /* the first draw begins an epoch */
    s->previous = allocate((size_t)slots * (size_t)rows, sizeof *s->previous);
    return s;
}

overlap_sampler *ordered_sampler_create(int images, int slots, int rows) {
    overlap_sampler *s = overlap_sampler_create(images, slots, rows, false, 0);
    s->shuffles = false;
    return s;
}

void overlap_sampler_free(overlap_sampler *s) {
    if (!s)
        return;
    free(s->order);
    free(s->previous);
    free(s);
}

/* Fisher and Yates' shuffle; each epoch has a stream of its own. */
static void shuffle(overlap_sampler *s) {
    random_stream stream = random_stream_of(s->seed, SHUFFLE_KEY, s->epoch++);
    for (int i = s->images - 1; i > 0; i--) {
        int j = (int)random_below(&stream, (uint64_t)i + 1);
        int swap = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = swap;
    }
}

static void begin_epoch(overlap_sampler *s) {
    for (int i = 0; i < s->images; i++)
        s->order[i] = i;
    if (s->shuffles)
        shuffle(s);
    s->next = 0;
}

static sample draw_new(overlap_sampler *s) {
    if (s->next == s->images)
        begin_epoch(s);
    return (sample){.id = s->draws++, .image = s->order[s->next++], .visit = 0};
}

static void draw_rows(overlap_sampler *s, sample *samples, int from, int to) {
    for (int slot = 0; slot < s->slots; slot++)
        for (int row = from; row < to; row++)
            samples[slot * s->rows + row] = draw_new(s);
}

static void revisit_rows(const overlap_sampler *s, sample *samples) {
    int half = s->rows / 2;
    for (int slot = 0; slot < s->slots; slot++)
        for (int row = 0; row < half; row++) {
            int at = slot * s->rows + row;
            samples[at] = s->previous[at + half];
            samples[at].visit = 1;
        }
}

void overlap_sampler_next(overlap_sampler *s, sample *samples) {
    if (!s->overlap) {
        draw_rows(s, samples, 0, s->rows);
        return;
    }
    int half = s->rows / 2;
    bool first = s->draws == 0;
    /* The rows that will be revisited come first, so that the images an iteration revisits are
     * always consecutive draws of an epoch, in the first iteration too. */
    draw_rows(s, samples, half, s->rows);
    if (first)
        draw_rows(s, samples, 0, half);
    else
        revisit_rows(s, samples);
    memcpy(s->previous, samples, (size_t)s->slots * (size_t)s->rows * sizeof *samples);
}

/* How many samples are new in the first `iterations` iterations. */
static int64_t draws_in(const overlap_sampler *s, int64_t iterations) {
    int64_t rows = (int64_t)s->slots * s->rows;
    if (!s->overlap)
        return iterations * rows;
    return iterations ? rows + (iterations - 1) * (rows / 2) : 0;
}

void overlap_sampler_skip(overlap_sampler *s, int64_t iterations) {
    if (!iterations)
        return;
    /* The last one of them is drawn, because the next one revisits its new rows. Those of it that
     * it revisits itself nobody asks for. */
    s->draws = draws_in(s, iterations - 1);
    if (s->draws) {
        s->epoch = (uint64_t)((s->draws - 1) / s->images);
        begin_epoch(s);
        s->next = (int)((s->draws - 1) % s->images) + 1;
    }
    sample *last = allocate((size_t)s->slots * (size_t)s->rows, sizeof *last);
    overlap_sampler_next(s, last);
    free(last);
}
