/* Training steps on made-up images, for the benchmarks: without loader and without files. */
#ifndef TIMED_STEPS_H
#define TIMED_STEPS_H

#include "darknet.h"

#include <stdint.h>

/* The network of cfg_file with `section` put at its end, ready to train, one batch of random
 * images and labels in its input. With [dlb_cost] its ring is there. A GPU build has it on the
 * first card. */
network *load_network_with(const char *cfg_file, const char *section);

/* Trains one iteration, all its micro-batches, and returns its seconds. The first half of each
 * micro-batch revisits the second half of the one before; *next_id counts new images, from 0. */
double train_one_step(network *net, int64_t *next_id);

/* Median seconds of the forward and backward pass of [dlb_cost] alone, as often as a step has
 * them. For a network that has trained a step. */
double dlb_cost_seconds(network *net);

/* The q-th quantile, linear between neighbours; sorts `values`, (count). */
double quantile(double *values, int count, double q);

#endif
