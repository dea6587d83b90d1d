/* Gradients added up over the ranks, in the background of the backward pass.
 *
 * The host keeps momentum in the arrays to which it adds gradients, so all ranks but the first
 * clear theirs before an iteration: the sum is then momentum once, and all gradients. The rolling
 * statistics of batch normalisation become their mean over the ranks, unless sync_bn=1 has made
 * them the same already. After the update all ranks have the same parameters again. */
#ifndef GRADIENT_SUMS_H
#define GRADIENT_SUMS_H

#include "darknet.h"

#ifdef DLB_MPI

/* Does nothing for a network on one rank. Ends the program, naming cfg_file, where a layer has
 * parameters that are not known here. */
void prepare_gradient_sums(network *net, const char *cfg_file);
void free_gradient_sums(network *net);

/* Before the first micro-batch of an iteration. */
void begin_iteration_of_ranks(network *net);

/* Before the last one, whose backward pass adds the sums up. */
void sum_gradients_next(network *net);

/* The messages of an iteration, in the order in which they are sent; they belong to the network.
 * None before prepare_gradient_sums(). */
const struct bucket *gradient_messages(const network *net, int *count);

/* Host seams: the backward pass has gone through layer `index`; it is over, and all sums must be
 * there. */
void gradients_are_ready(network *net, int index);
void finish_gradient_sums(network *net);

#else

static inline void prepare_gradient_sums(network *net, const char *cfg_file) {
    (void)net, (void)cfg_file;
}
static inline void free_gradient_sums(network *net) {
    (void)net;
}
static inline void begin_iteration_of_ranks(network *net) {
    (void)net;
}
static inline void sum_gradients_next(network *net) {
    (void)net;
}
static inline const struct bucket *gradient_messages(const network *net, int *count) {
    (void)net;
    *count = 0;
    return NULL;
}
static inline void gradients_are_ready(network *net, int index) {
    (void)net, (void)index;
}
static inline void finish_gradient_sums(network *net) {
    (void)net;
}

#endif

#endif
