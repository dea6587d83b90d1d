/* Which of its graphs a training step is, with cuda_graph=1 of [net], and whether the update is
 * part of it; see step_graph.h, which this knows no CUDA of. */
#ifndef STEP_PLAN_H
#define STEP_PLAN_H

#include "darknet.h"

#include <stdbool.h>

typedef struct {
    int graph;    /* steps that launch the same kernels have the same one */
    bool updates; /* the iteration's update comes after the backward pass */
} step_plan;

/* How many graphs the steps of a network can be. */
int count_step_plans(const network *net);

/* Of the micro-batch that *net->seen counts already, as in train_network_datum().
 * `can_capture_update` is whether the update's kernels could be captured after the backward pass.
 */
step_plan plan_step(network *net, bool can_capture_update);

#endif
