/* Validation of a classifier, in batches: `darknet classifier valid`, and within training. */
#ifndef CLASSIFIER_VALID_H
#define CLASSIFIER_VALID_H

#include "classifier_data.h"
#include "classifier_options.h"

#include <stdio.h>

typedef struct {
    int images;             /* that were read */
    int top;                /* the k of top-k */
    double top1, topk;      /* parts of the images, 0..1 */
    double cross_entropy;   /* per image; meaningful only with has_cross_entropy */
    bool has_cross_entropy; /* false where the network ends in no plain softmax */
    bool stopped;           /* `stops` said so: nothing else is meaningful */
    int failed_rank;        /* with an error: the rank that has it */
} validation_result;

typedef struct {
    int threads;         /* that load images */
    bool skip_bad;       /* leave unreadable images out */
    bool name_bad;       /* name them on standard error */
    FILE *lines;         /* gets the host's two lines for each image; NULL: nothing does */
    bool (*stops)(void); /* asked now and then, by all ranks at once: whether to leave the rest, the
                            same answer on all of them; NULL: never */
} validation_settings;

/* Validates on `data` with the weights as they are: the centre of each image, as the host's
 * `classifier valid` does it, net->batch images at a time. Leaves the network as
 * predict_in_batches() does. Several ranks share the images out, and all have the result, which is
 * that of one rank to the last bit.
 *
 * Returns NULL, or a fresh sentence about an image that cannot be read; with skip_bad only if none
 * can. It is the true one on the rank result->failed_rank. */
char *validate_classifier(network *net, const classifier_data *data,
                          const validation_settings *settings, validation_result *result);

/* `darknet classifier valid`: prints what the host prints, and the cross entropy on standard
 * error. Ends the program where something does not fit or cannot be read. */
void run_classifier_valid(char *data_file, char *cfg_file, char *weights_file,
                          classifier_options options);

#endif
