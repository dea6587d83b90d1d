/* `darknet classifier predict DATA CFG WEIGHTS -list FILE`: many images, in batches. */
#ifndef CLASSIFIER_PREDICT_H
#define CLASSIFIER_PREDICT_H

#include "classifier_options.h"

/* Predicts each image that a line of options.list names ("-": of standard input) as the host's
 * `predict` does, and prints a line for it: the path, then the `top` likeliest classes, each as
 * name and percentage, all separated by tabs. top is the data file's top= where it is 0. Ends the
 * program where something does not fit or cannot be read. */
void run_classifier_predict(char *data_file, char *cfg_file, char *weights_file, int top,
                            classifier_options options);

#endif
