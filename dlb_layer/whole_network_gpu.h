/* What a GPU does to the arrays of all layers of a network in one launch, where the host launches
 * several kernels a layer: clearing the deltas, updating the parameters, for which another, of one
 * thread, sets the rate. */
#ifndef WHOLE_NETWORK_GPU_H
#define WHOLE_NETWORK_GPU_H

#include "darknet.h"

#ifdef GPU
/* Host seams; neither waits for the device. The network's parameters must keep their places. */

/* Clears the deltas of all layers, before a forward pass. */
void clear_deltas_gpu(network *net);

/* For who captures what clear_deltas_gpu() launches: brings the list of deltas up to date, as that
 * does, and how often one has been made so far. What was captured knows the list of then alone. */
void bring_delta_list_up_to_date(network *net);
unsigned long delta_lists_made(const network *net);

/* For a network whose updates may be left out, which net->loss_scale says, or follow sums over the
 * ranks: before the first gradient, after begin_recipe_step(). Lists its parameters and, for the
 * former, notes their `updates` on the device, where Nesterov's step does not do so. Waits for the
 * device; does nothing when it has been called before. */
void list_parameters_gpu(network *net);

/* Updates all parameters, Nesterov's step included. Returns 0, and has done nothing, where the host
 * has to do it: see list_updated_arrays(). With net->loss_scale the update is left out where a
 * gradient is not finite, and the scale follows. */
int update_whole_network_gpu(network *net, update_args a);

/* For who captures that: whether it would return 1, and its two halves. What an update goes by is
 * set before it, in order, and read by it on the device, so that only launch_whole_update() has to
 * be captured; it says nothing of updates that half=1 has left out. The first one may wait for the
 * device, as list_parameters_gpu() does. */
int can_update_whole_network(network *net);
void set_whole_update(network *net, update_args a);
void launch_whole_update(network *net);
#endif

struct whole_network;

/* Accepts NULL. */
void free_whole_network(struct whole_network *whole);

#endif
