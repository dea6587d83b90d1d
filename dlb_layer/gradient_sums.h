/* Gradients added up over the shards of a micro-batch, and over the ranks in the background of the
 * backward pass.
 *
 * The host keeps momentum in the arrays to which it adds gradients, so all shards but the first
 * begin with cleared ones: the sum is then momentum once, and all gradients. The rolling statistics
 * of batch normalisation become their mean over the shards, unless sync_bn=1 has made them the same
 * already. After the update all ranks have the same parameters again, and with shards= those of any
 * other number of ranks, bit for bit. */
#ifndef GRADIENT_SUMS_H
#define GRADIENT_SUMS_H

#include "darknet.h"

/* Does nothing for a network that is not shared out. check_shared_layers() has been there. */
void prepare_gradient_sums(network *net);
void free_gradient_sums(network *net);

/* Before the first micro-batch of an iteration. */
void begin_iteration_of_ranks(network *net);

/* Before the last one of each shard, whose backward pass adds to the sums. */
void sum_gradients_next(network *net);

/* The messages of an iteration, in the order in which they are sent; they belong to the network.
 * None on one rank, and before prepare_gradient_sums(). */
const struct bucket *gradient_messages(const network *net, int *count);

/* Before the host reads what the device computes after sums, whose wait for it would have no end:
 * waits for the rank's own gradients, and then, by -rank_timeout, for the sums. On GPUs alone. */
void await_gradient_sums(const network *net);

/* Host seams: the backward pass has gone through layer `index`; it is over, and after
 * that of the last shard all sums must be there, on a GPU for what is launched from then on. */
void gradients_are_ready(network *net, int index);
void finish_gradient_sums(network *net);

#endif
