/* The losses of training steps on a GPU, added up there and read when they are logged: a step then
 * waits for nothing. Without, and on the CPU, the host reads each step's as it goes. */
#ifndef STEP_LOSSES_H
#define STEP_LOSSES_H

#include "darknet.h"

#include <stdbool.h>

/* Whether one [softmax] has a cost and no other layer does. */
bool one_softmax_has_the_cost(const network *net);

/* From now on training steps of a network on a GPU keep their loss on the device, and what
 * train_network_datum() returns has no meaning. Does nothing on the CPU, or where anything but one
 * [softmax] has a cost, which the host computes itself. */
void defer_losses(network *net);

bool losses_are_deferred(const network *net);

/* The sum over the rows of the steps since the last call; waits for these steps. */
double take_deferred_losses(network *net);

/* ---- host seams ---- */

#ifdef GPU
/* In training, in place of reading them: adds losses, (count) on the device, to the step's. */
void keep_step_losses(struct step_losses *losses, const float *losses_gpu, int count);
#endif

/* Accepts NULL. */
void free_step_losses(struct step_losses *losses);

#endif
