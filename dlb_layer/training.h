/* A training in progress, as the files that make up `classifier train` share it. */
#ifndef TRAINING_H
#define TRAINING_H

#include "classifier_data.h"
#include "classifier_options.h"
#include "fingerprint.h"
#include "image_rows.h"
#include "overlap_loader.h"
#include "state_file.h"
#include "train_log.h"
#include "train_saving.h"
#include "train_validation.h"

/* The losses of an iteration, summed over rows. */
typedef struct {
    double loss, cross_entropy, consistency, teachers;
} loss_sums;

typedef struct {
    network *net;
    layer *dlb; /* NULL for a cfg without [dlb_cost] */
    char *cfg_file;
    char *base; /* the cfg's name, without folder and extension */
    classifier_data data;
    image_rows rows;
    overlap_loader *loader;
    train_log *log;
    train_validation *validation; /* NULL without */
    train_saving *saving;
    struct finite_guard *guard;
    fingerprint print, circumstances;
    unsigned seed;
    int width, height;     /* of the network's input, by the cfg; random=1 trains at others */
    size_t first_images;   /* *net->seen where the run began */
    float average_loss;    /* smoothed, as the host prints it; -1 before the first iteration */
    loss_sums *losses;     /* (own shards), of the iteration in work */
    uint64_t iterations;   /* of the run, those of the processes that it goes on after included */
    uint64_t checkpointed; /* how many of them the checkpoint has */
    bool validation_due; /* the validation of `record` was left; it and its log line are to come */
    iteration_record record;
    bool skips_bad;
    bool clears;    /* -clear: images are counted from 0, whatever the weights say */
    bool has_state; /* the network's state can be kept */
    int save_every; /* epochs from one numbered weights file to the next; 0: none */
} training;

/* Rows of an iteration, those of all shards. */
int training_batch(const network *net);

/* Drops what *net->seen has beyond whole iterations, so that the last micro-batch of an iteration
 * stays the one after which the host updates. */
void round_images_seen(network *net);

/* The seed of order and augmentation. */
uint64_t sampling_seed(const training *t);

/* Saves the weights in the backup folder, on rank 0; `format` gets the cfg's name and `number`.
 * Returns whether that went well; the training goes on in either case. */
bool save_training_weights(const training *t, const char *format, size_t number);

/* Between two iterations, called by all ranks at once, of which the first one writes: weights and
 * state as they are. Of a network whose state cannot be kept the weights alone. */
void save_training(training *t);

/* Which images were found unusable, on any rank: a fresh array, (images), that the caller frees.
 * Called by all ranks at once. */
bool *find_unusable_images(const training *t);

/* Does what options->resume asks for, with what `t` has until then: cfg_file, base, net, dlb, data,
 * rows, seed. Returns the state of the checkpoint that the run goes on from, whose network,
 * counters and rows are put back then; NULL: none. */
state_file *go_on_with_training(training *t, const classifier_options *options);

/* Saves, and ends the program with the status of the signal that asked for it. */
_Noreturn void end_training_on_signal(training *t);

#endif
