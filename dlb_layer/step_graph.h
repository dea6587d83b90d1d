/* cuda_graph=1 of [net]: the kernels of a training step, forward, losses and backward, as one CUDA
 * graph a micro-batch of the iteration, which the host launches at once instead of kernel by
 * kernel. The last one's holds the update, too (with half=1 the check of the gradients and the step
 * of the loss scale); rate, decay and momentum are on the device, set before each launch. Where
 * sums over ranks come between, or the host has to update (adam=1, layers that whole_network_gpu.h
 * does not know), the update is launched by itself. None of this has ever run on a card.
 *
 * The first step of a network, and the first after it has changed (see network_form.h), runs as
 * without, so that nothing is left to be loaded, measured or allocated; the next one is captured.
 */
#ifndef STEP_GRAPH_H
#define STEP_GRAPH_H

#include "darknet.h"

/* Ends the program with one sentence naming cfg_file where a step of the network cannot be a graph:
 * a layer that is not known not to need the host, another loss than that of one [softmax]. */
void check_step_graph(const network *net, const char *cfg_file);

/* For training: from now on steps are graphs, and losses are deferred (step_losses.h). Does nothing
 * on the CPU. */
void use_step_graphs(network *net);

struct step_graphs;

/* Accepts NULL. */
void free_step_graphs(struct step_graphs *graphs);

/* What is done of a training step. */
enum { STEP_IS_LEFT, STEP_WITHOUT_UPDATE, STEP_AND_UPDATE };

/* Host seam, with *net->seen counting the micro-batch already. Runs the forward and the backward
 * pass of a training step, and at an iteration's end the update where that is in its graph; the
 * host does what is left. Does not wait for the device. */
int run_step_graph(network *net);

#endif
