/* Predictions for many images: loaded ahead by worker threads, a batch at a time through the
 * network, where the host's commands load and predict one image after the other. Where there are
 * several ranks (ranks.h) each takes every so many-th batch. */
#ifndef BATCHED_PREDICTION_H
#define BATCHED_PREDICTION_H

#include "darknet.h"

#include <stdbool.h>

/* How an image becomes the network's input: the host's center_crop_image for validation, its
 * letterbox_image for `predict`. Returns a new image of width x height. */
typedef image (*image_fitter)(image whole, int width, int height);

/* One image's result; the arrays are valid during the call. */
typedef struct {
    int image;           /* index into the paths */
    float *outputs;      /* (net->outputs), as network_predict() gives them; may be changed */
    const float *logits; /* (net->outputs), the input of the softmax that ends the network; NULL
                            where it ends otherwise, or in a softmax of groups or of a tree */
    float temperature;   /* of that softmax */
} image_prediction;

typedef struct {
    char *const *paths; /* (count) */
    int count;          /* >= 1 */
    image_fitter fit;
    int threads;   /* that load, >= 1 */
    bool skip_bad; /* leave unreadable images out; the first one ends it otherwise */
    bool name_bad; /* name those left out on standard error */
    /* Called for each image in the order of the paths, by the calling thread; on each rank for
     * those of its batches. */
    void (*use)(void *context, const image_prediction *prediction);
    void *context;
    /* Asked before each batch, by all ranks at once: whether to leave the rest, the same answer on
     * all of them; NULL: never. */
    bool (*stops)(void);
} prediction_job;

/* Runs the job with net->batch images at a time, on all ranks at once. The network is left as it
 * was, apart from its layers' outputs, deltas and cost, which the next training step computes anew:
 * nothing is drawn at random, and no rolling statistic, weight or stored logit changes.
 *
 * Returns NULL, or a fresh string that names an unreadable image and says why it is: on one of the
 * ranks, and on the others one that says which rank that is. *failed_rank receives its number. */
char *predict_in_batches(network *net, const prediction_job *job, int *failed_rank);

#endif
