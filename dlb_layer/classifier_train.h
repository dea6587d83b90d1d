/* `darknet classifier train`: the training loop with the overlapping loader, for cfgs with and
 * without [dlb_cost]. */
#ifndef CLASSIFIER_TRAIN_H
#define CLASSIFIER_TRAIN_H

#include "classifier_data.h"
#include "darknet.h"

#include <stdbool.h>

typedef struct {
    unsigned seed;
    bool has_seed;     /* otherwise a seed is drawn and printed */
    int threads;       /* loader threads */
    bool skip_bad;     /* leave unreadable images out */
    bool stock_loader; /* the host's own loop and sampling */
} train_options;

/* Takes -seed N, -threads N, -skip_bad and -stock_loader out of the command line. Ends the program
 * if a value is not a number in range, or if -stock_loader comes with one of the others. */
train_options parse_train_options(int argc, char **argv);

/* Trains. Files, keys and defaults are the host's; see the README for what the run leaves. Ends
 * the program, before the first iteration and with existing files untouched, if cfg, data file,
 * lists and backup folder do not fit together. */
void train_classifier_dlb(char *data_file, char *cfg_file, char *weights_file, int *gpus,
                          int gpu_count, int clear, train_options options);

/* Ends the program if the loader cannot make this network's input and truth rows from the data, or
 * the list is shorter than half a batch. */
void check_training_network(const network *net, const char *cfg_file, const classifier_data *data,
                            const char *data_file);

/* Before the host's own loop: ends the program if the cfg has [dlb_cost], if the classes of the
 * data file, whose pairs are data_options, are not the network's outputs, for which the host has no
 * room, if the list has no `images`, or if the backup folder cannot be written. */
void check_stock_training(network *net, const char *cfg_file, const char *data_file,
                          list *data_options, int images);

#endif
