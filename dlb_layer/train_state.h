/* What a training is between two iterations, besides its weights: momentum, the ring, random
 * numbers, how far it is. Written into a state file and put back from it.
 *
 * The order of the images and their augmentation depend on the seed and the number of iterations
 * alone, so neither is kept. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include "darknet.h"
#include "fingerprint.h"
#include "host_random.h"
#include "logit_ring.h"
#include "state_file.h"
#include "train_log.h"

/* How far a training is. Whole in the file, so no member may be a pointer. */
typedef struct {
    uint64_t first_images; /* *net->seen where the training began */
    uint64_t images;       /* *net->seen now */
    uint64_t iterations;   /* since it began */
    uint64_t log_bytes;    /* of the log */
    double best_top1;      /* of the validations; -1: none */
    uint32_t seed;
    int32_t updates;       /* *net->t */
    int32_t width, height; /* of the network's input */
    int32_t without_best;  /* validations since the best one */
    float average_loss;
    uint32_t validation_due; /* 1: that of `record` is still to come, and with it its log line */
    iteration_record record; /* the last iteration's; only with validation_due */
} train_progress;

typedef struct {
    const network *net;
    logit_ring_contents ring; /* of all ranks; logits NULL without [dlb_cost] */
    const bool *unusable;     /* (images) */
    int images;               /* in the training list */
    train_progress progress;
    const fingerprint *print, *circumstances;
} train_state;

/* The first layer whose state cannot be kept, because it is of a kind that is not known here or has
 * dontsave=1; -1: none. */
int find_layer_without_state(const network *net);

/* A state_content; the context is a train_state. Blocks are named after its parts. */
void put_train_state(state_writer *writer, void *context);

/* How far the training of a state file was. Ends the program, naming the file, where the block is
 * none. */
train_progress get_train_progress(const state_file *file);

/* On rank 0 the ring of all ranks, as one rank has it: the rank's own or, with several, one that
 * `gathered` receives, which the caller releases; elsewhere an empty one. Called by all of them at
 * once. */
logit_ring_contents gather_ring(const network *net, layer *dlb, logit_ring **gathered);

/* Puts momentum, update counter, ring and random numbers back into a network that has the weights
 * already and that has been prepared for training; `dlb` is NULL without the layer. Ends the
 * program, naming the file, where the file does not fit the network. */
void restore_train_state(const state_file *file, network *net, layer *dlb);

/* Which images were unusable: a fresh array, (images), that the caller frees. */
bool *get_unusable_images(const state_file *file, int images);

#endif
