/* `darknet classifier train`: the training loop with the overlapping loader, for cfgs with and
 * without [dlb_cost]. */
#ifndef CLASSIFIER_TRAIN_H
#define CLASSIFIER_TRAIN_H

#include "classifier_options.h"
#include "darknet.h"

/* Trains. Files, keys and defaults are the host's; see the README for what the run leaves. Ends
 * the program, before the first iteration and with existing files untouched, if cfg, data file,
 * lists and backup folder do not fit together. */
void train_classifier_dlb(char *data_file, char *cfg_file, char *weights_file, int *gpus,
                          int gpu_count, int clear, classifier_options options);

#endif
