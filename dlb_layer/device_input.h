/* Training's rows on a GPU before they are needed: they are copied on a stream of their own to a
 * second pair of arrays there, while the step before them computes, and from these to the network's
 * when their step begins. Where nothing was sent ahead the host's blocking copy does it.
 *
 * Every function does nothing for a network on the CPU or without create_device_input(). The thread
 * that trains calls them. */
#ifndef DEVICE_INPUT_H
#define DEVICE_INPUT_H

#include "darknet.h"
#include "drawn_rows.h"

/* From now on rows can be sent ahead. free_device_input() releases it. */
void create_device_input(network *net);
void free_device_input(network *net);

/* Starts the copy of a micro-batch: inputs, (net->batch, net->inputs), and truths, (net->batch,
 * net->truths). They must stay as they are until settle_device_input(). Does nothing where these
 * are what was sent last and not yet taken. */
void send_device_input(network *net, const float *inputs, const float *truths);

/* The same with rows that are rendered on the device, (net->batch) of them; their address takes the
 * place of the inputs', in net->input too. Without create_device_input() such rows cannot be
 * trained on: the host's blocking copy would take them for floats. */
void send_drawn_input(network *net, const drawn_block *rows, const float *truths);

/* Returns when the host's memory that was sent may be written again. */
void settle_device_input(network *net);

/* The same, before it is freed: what was sent and not taken is forgotten. */
void forget_device_input(network *net);

/* Host seam. Whether net->input and net->truth were sent ahead; then net->input_gpu and
 * net->truth_gpu have them, in order with the network's work. Otherwise nothing has happened. While
 * a step is captured, see step_graph.h, they are not needed: 1, and nothing happens. */
int take_device_input(network *net);

#endif
