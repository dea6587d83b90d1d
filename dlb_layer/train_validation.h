/* Validation in the course of training: when it is due, the best result so far, when to stop. */
#ifndef TRAIN_VALIDATION_H
#define TRAIN_VALIDATION_H

#include "classifier_options.h"
#include "classifier_valid.h"

typedef struct train_validation train_validation;

/* Reads the validation list of data_file. NULL where validation is switched off, or where
 * data_file has no valid= and -valid_every was not given, which standard error says; ends the
 * program where it was given, or where the list does not fit. `best_top1` is that of the run that
 * this one goes on from, -1 without. The caller releases it with train_validation_close. */
train_validation *train_validation_open(char *data_file, char *cfg_file, network *net,
                                        const classifier_options *options, double best_top1);

/* Accepts NULL. */
void train_validation_close(train_validation *validation);

/* Whether to validate after an iteration that went from epoch `before` to epoch `now`, counted in
 * whole epochs; always after the last one. Accepts NULL. */
bool train_validation_is_due(const train_validation *validation, size_t before, size_t now,
                             bool last);

/* Validates at the size of the cfg, whatever size random=1 has drawn, prints a line, and notes
 * whether the result is the best so far. Returns NULL or a fresh sentence about an image that
 * cannot be read. Where the training is asked to stop meanwhile, result->stopped is set, and all is
 * as if it had not begun. */
char *train_validation_run(train_validation *validation, network *net, validation_result *result);

/* Whether the last result had the best top-1 so far. */
bool train_validation_is_best(const train_validation *validation);

/* The size of the network's input by the cfg, where the network has another by now. Accepts NULL.
 */
void set_train_validation_size(train_validation *validation, int width, int height);

/* What is noted of the results so far: the best top-1, -1 where there is none, and how many came
 * after it. Accept NULL, and note or say nothing of interest then. */
void train_validation_progress(const train_validation *validation, double *best_top1,
                               int *without_best);
void set_train_validation_progress(train_validation *validation, double best_top1,
                                   int without_best);

/* Whether -patience is at its end. Accepts NULL. */
bool train_validation_gives_up(const train_validation *validation);

#endif
