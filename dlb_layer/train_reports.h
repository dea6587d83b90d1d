/* What a training says of itself: at the start who computes which rows, a line an iteration, and at
 * the end what it left out. */
#ifndef TRAIN_REPORTS_H
#define TRAIN_REPORTS_H

#include "training.h"

/* On standard error, with several ranks or shards. */
void report_shares(const network *net);

/* The host's line on standard output, with the losses of this layer. `dropped`: the finite
 * guard has dropped its update, and its loss does not count in the average. */
void print_iteration(training *t, const iteration_record *r, bool dropped);

/* On standard error, where there are any. Called by all ranks at once. */
void report_skipped_images(const training *t);
void report_dropped_updates(const training *t);

#endif
