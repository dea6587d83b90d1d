#include "step_plan.h"

#include "dlb_cost_layer.h"
#include "shared_network.h"

/* Each without the update and with it. */
int count_step_plans(const network *net) {
    return 2 * net->subdivisions;
}

/* Only [dlb_cost] does something else in each micro-batch of an iteration. */
static int slot_of(network *net) {
    const layer *dlb = find_dlb_cost_layer(net);
    return dlb ? dlb_cost_slot(dlb) : 0;
}

step_plan plan_step(network *net, bool can_capture_update) {
    bool sums_come_between = net->ranks; /* over the ranks, which no graph has */
    bool updates = can_capture_update && !sums_come_between && ends_iteration(net);
    return (step_plan){slot_of(net) + (updates ? net->subdivisions : 0), updates};
}
