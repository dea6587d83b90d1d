/* Keeps NaN and infinities out of a training: looks at the loss after every micro-batch, at the
 * gradients and rolling statistics before every update, at the parameters after it and before
 * they are saved.
 *
 * What is found ends the program with one sentence: iteration, learning rate, layer and array. With
 * `drops` an update that is spoiled before it is applied is dropped instead: momentum and
 * statistics are put back, weights were not touched, and the ring of [dlb_cost] forgets the
 * iteration. Parameters that an update of finite gradients made infinite end the program all the
 * same: the rate is too large for any update.
 *
 * A network with a guard is used by one thread at a time, as everywhere in Darknet. On a GPU only
 * the loss is looked at, and updates cannot be dropped. Where losses are deferred (step_losses.h)
 * that is the iteration's sum, after its update: the weights in memory are spoiled by then, but no
 * file is written from them. */
#ifndef FINITE_GUARD_H
#define FINITE_GUARD_H

#include "darknet.h"

#include <stdbool.h>

/* ---- host seams ---- */

/* After the backward pass of a micro-batch, the `last` of an iteration or not: whether the network
 * may be updated. Always true for a network without a guard. */
int passes_finite_guard(network *net, int last);

/* Ends the program if a parameter or statistic of the network is not finite, so that no file of
 * weights is written from it. With or without a guard; not on a GPU. */
void refuse_to_save_not_finite(const network *net, const char *file);

/* ---- for training ---- */

/* Watches `net`, until finite_guard_free. cfg_file is for messages; both must outlive the guard.
 * Ends the program where `drops` is asked for on a GPU. */
struct finite_guard *finite_guard_create(network *net, const char *cfg_file, bool drops);

/* Accepts NULL. */
void finite_guard_free(struct finite_guard *guard);

/* Before the first micro-batch of an iteration. */
void finite_guard_begin(struct finite_guard *guard);

/* After the last one, where losses are deferred: ends the program if their sum over the iteration
 * is NaN, or infinite for another reason than a probability that has underflowed. */
void finite_guard_check_deferred(const struct finite_guard *guard, float sum);

/* After the last one. Returns whether the iteration's update was dropped, and said so. */
bool finite_guard_end(struct finite_guard *guard);

/* How many iterations came to their end so far, and how many of their updates were dropped. */
int finite_guard_watched(const struct finite_guard *guard);
int finite_guard_dropped(const struct finite_guard *guard);

#endif
