/* The batch loader: a pool of workers that decodes each image once for its two visits.
 *
 * Threads: one consumer (the training thread) calls every function below. Workers only run
 * source.load and source.finish. A batch handed out by overlap_loader_next belongs to the consumer
 * until the next call; meanwhile the workers fill the two batches after it: all of the next one,
 * and those rows of the one after that will revisit the next one's new half. So there are three
 * buffers, and a decoded image lives no longer than the call that decoded it.
 *
 * A rank loads its own rows alone, those of settings.share, which are what is called rows below;
 * the samples of all ranks' rows are drawn everywhere.
 *
 * What is in a row depends on the sampler and on the row's own key, never on the number of
 * workers. */
#ifndef OVERLAP_LOADER_H
#define OVERLAP_LOADER_H

#include "overlap_sampler.h"
#include "row_share.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Buffers of an iteration each, used in turn. */
enum { LOADER_BUFFERS = 3 };

/* Where one visit of an image goes. */
typedef struct {
    int64_t id;
    int visit;
    float *inputs; /* (row_inputs) */
    float *truths; /* (row_truths) */
    int buffer;    /* 0 to LOADER_BUFFERS - 1 */
    int slot;      /* the micro-batch whose rows need it */
} row_target;

/* One iteration: rows are (slots, rows) in order. After them come `guests` more, images of other
 * ranks' rows that are the partners of rows here; each is of its partners' micro-batch. */
typedef struct {
    float *inputs;   /* (slots * rows + guests, row_inputs) */
    float *truths;   /* (slots * rows + guests, row_truths) */
    int64_t *ids;    /* (slots * rows), the samples' ids */
    sample *samples; /* (slots * rows + guests) */
    int *partners;   /* (slots * rows), each row's partner; only with source.partner */
    int guests;
    int buffer; /* which of the loader's it is */
} loaded_batch;

/* What turns an image of the training list into rows. */
typedef struct {
    void *context;
    /* Decodes image number `image` once and renders it, with its truth, into each of the `count`
     * targets. True on success; false with *reason, a fresh string, if the image is unusable.
     * Called by several workers at once. */
    bool (*load)(void *context, int image, const row_target *targets, int count, char **reason);
    /* What is left to do once all rows of an iteration are there; NULL: nothing. Called once for
     * each iteration that is handed out, and again after a reload, by one worker at a time. */
    void (*finish)(void *context, const loaded_batch *batch);
    /* The row whose image `row`, one of all ranks', needs in finish(), among those of the same
     * micro-batch; `row` itself: none. samples is (slots * rows of all ranks). NULL: no row does.
     */
    int (*partner)(void *context, const sample *samples, int row);
    /* Nobody reads the rows of buffer number `buffer` any more, and none has been written for its
     * next iteration. Called by the consumer's thread; NULL: nothing is to be done. */
    void (*clear)(void *context, int buffer);
} image_source;

/* Where inputs and truths lie; members NULL: in ordinary memory. The consumer's thread calls it. */
typedef struct {
    float *(*make)(size_t count); /* zeros; ends the program where there is no memory */
    void (*drop)(float *floats);  /* accepts NULL */
} batch_memory;

typedef struct {
    int images;      /* in the training list */
    int slots;       /* micro-batches an iteration */
    row_share share; /* rows a micro-batch, and which of them are loaded: its halves are those of
                        overlap */
    bool overlap;    /* revisit half of each micro-batch */
    bool in_order;   /* the list from its start to its end, again and again; not with overlap */
    uint64_t seed;   /* of order and, through the ids, of augmentation */
    int row_inputs;  /* floats a row of inputs */
    int row_truths;  /* floats a row of truths */
    int threads;     /* workers, >= 1 */
    bool skip_bad;   /* replace an unusable image by the next one in the list */
    int64_t done;    /* iterations of an earlier process that this one goes on after */
    const bool *unusable; /* (images), those that it found unusable, copied; NULL: none */
    image_source source;
    batch_memory memory;
} loader_settings;

typedef struct overlap_loader overlap_loader;

/* Starts the workers on the first iteration, or on the one after those that are done. Ends the
 * program where memory or threads run out. The caller releases the loader with overlap_loader_free.
 */
overlap_loader *overlap_loader_create(const loader_settings *settings);

/* Stops and joins the workers. Accepts NULL. */
void overlap_loader_free(overlap_loader *loader);

/* Waits for the next iteration's batch and sets the workers on the one after it. NULL if an image
 * was unusable: overlap_loader_error says which and why, and the loader can only be freed. */
const loaded_batch *overlap_loader_next(overlap_loader *loader);

/* What overlap_loader_next will return, if that would neither wait nor be NULL; NULL otherwise. The
 * consumer may read it until the next call of overlap_loader_next after that one, or a reload. */
const loaded_batch *overlap_loader_ready(overlap_loader *loader);

/* Why overlap_loader_next returned NULL; belongs to the loader. `image` receives its number. */
const char *overlap_loader_error(const overlap_loader *loader, int *image);

/* Lets the workers finish and leaves them idle, so that the source's settings can be changed.
 * The batch in the consumer's hands becomes invalid at the reload that must follow. */
void overlap_loader_pause(overlap_loader *loader);

/* After a pause: drops what was prefetched and loads the same images for the same rows again,
 * with rows of row_inputs floats. */
void overlap_loader_reload(overlap_loader *loader, int row_inputs);

/* Whether image number `image` was found unusable so far; only ever true with skip_bad. Only while
 * the workers are idle, after a pause. */
bool overlap_loader_skipped(const overlap_loader *loader, int image);

#endif
