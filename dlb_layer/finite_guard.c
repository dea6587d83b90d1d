#include "finite_guard.h"

#include "cpu_backend.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "finite_values.h"
#include "half_float.h"
#include "layer_arrays.h"
#include "network.h"
#include "network_device.h"
#include "ranks.h"
#include "step_losses.h"
#include "step_snapshot.h"

#include <stdlib.h>

enum { FAULT_BYTES = 256 };

struct finite_guard {
    network *net;
    const char *cfg_file;
    step_snapshot *before; /* of the iteration; NULL where nothing is dropped */
    char *fault;           /* of the iteration in work, a sentence's part; NULL: none */
    int watched, dropped;  /* iterations */
};

/* ---- what is not finite ---- */

static char *describe_fault(const network *net, int index, const char *what, float value) {
    return format_string("the %s of layer %d, a [%s], has a value that is %s", what, index,
                         get_layer_string(net->layers[index].type), kind_of_value(value));
}

/* Looks at one kind of array of a layer: gradients, statistics or parameters. */
typedef enum { GRADIENTS, STATISTICS, PARAMETERS } array_kind;

static const float *values_of_kind(const layer_array *array, array_kind kind) {
    switch (kind) {
    case GRADIENTS:
        return array->updates;
    case STATISTICS:
        return array->updates ? NULL : array->values;
    default:
        return array->values;
    }
}

static char *find_fault_in_layer(const network *net, int index, array_kind kind) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(&net->layers[index], arrays);
    for (int i = 0; i < count; i++) {
        const float *values = values_of_kind(&arrays[i], kind);
        size_t at = values ? first_not_finite(values, arrays[i].count) : arrays[i].count;
        if (at == arrays[i].count)
            continue;
        char *what = describe_layer_array(&arrays[i], kind == GRADIENTS);
        char *fault = describe_fault(net, index, what, values[at]);
        free(what);
        return fault;
    }
    return NULL;
}

/* The first layer in the order in which a fault spreads: gradients go from the last to the first.
 */
static char *find_fault(const network *net, array_kind kind) {
    char *fault = NULL;
    for (int i = 0; i < net->n && !fault; i++)
        fault = find_fault_in_layer(net, kind == GRADIENTS ? net->n - 1 - i : i, kind);
    return fault;
}

/* ---- the loss ---- */

static char *find_fault_in_outputs(const network *net) {
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        size_t count = (size_t)l->batch * (size_t)l->outputs;
        const float *values = backend_output(l, &count);
        if (!values)
            values = l->output;
        size_t at = values ? first_not_finite(values, count) : count;
        if (at < count)
            return describe_fault(net, i, "output", values[at]);
    }
    return NULL;
}

/* The host takes the logarithm of a probability that has underflowed, where the loss is finite when
 * computed from the logits, as [dlb_cost] does. */
static bool is_underflow(const network *net) {
    int last = net->n - 1;
    while (last > 0 && (net->layers[last].type == COST || net->layers[last].type == DLB_COST))
        last--;
    const layer *l = &net->layers[last];
    if (l->type != SOFTMAX || last == 0)
        return false;
    size_t count = (size_t)l->batch * (size_t)l->inputs;
    const float *logits = net->layers[last - 1].output;
#ifdef GPU
    if (is_on_gpu(net))
        cuda_pull_array(net->layers[last - 1].output_gpu, net->layers[last - 1].output, count);
#endif
    return first_not_finite(logits, count) == count;
}

/* Whether a layer computes in float16; half=1 of a network may be of none. */
static bool has_float16(const network *net) {
    bool any = false;
#ifdef CUDNN
    for (int i = 0; i < net->n && is_on_gpu(net); i++)
        any |= net->layers[i].half == HALF_FLOAT16;
#else
    (void)net;
#endif
    return any;
}

/* The loss alone: which layer that came from is not known on a GPU. */
static char *describe_loss(const network *net, float loss) {
    const char *with = "";
    if (has_float16(net))
        with = " with half=1, whose float16 ends at 65504 where half=bfloat16 has the range of "
               "float32";
    return format_string("the loss is %s%s", kind_of_value(loss), with);
}

static char *find_fault_in_loss(const network *net) {
    float loss = *net->cost;
    if (is_finite_value(loss) || is_underflow(net))
        return NULL;
    char *fault = is_on_gpu(net) ? NULL : find_fault_in_outputs(net);
    return fault ? fault : describe_loss(net, loss);
}

/* ---- an iteration ---- */

static _Noreturn void stop(const struct finite_guard *guard, const char *fault) {
    network *net = guard->net;
    fail("%s: iteration %zu, learning rate %g: %s; the training stops, and weights that were saved "
         "stay as they are",
         guard->cfg_file, get_current_batch(net), get_current_rate(net), fault);
}

static void find_step_fault(struct finite_guard *guard, int last) {
    const network *net = guard->net;
    if (!guard->fault && !losses_are_deferred(net))
        guard->fault = find_fault_in_loss(net);
    if (!last || is_on_gpu(net))
        return;
    if (!guard->fault)
        guard->fault = find_fault(net, STATISTICS);
    if (!guard->fault)
        guard->fault = find_fault(net, GRADIENTS);
}

/* All ranks do the same with an update, for the reason that the first one with a fault has. */
static void agree_on_fault(struct finite_guard *guard) {
    char said[FAULT_BYTES] = "";
    int failed = first_failed_rank(guard->fault != NULL);
    if (failed < 0 || rank_count() == 1)
        return;
    if (!guard->before && failed == rank_number())
        return; /* it ends the job */
    if (!guard->before)
        await_failure_of(failed);
    if (failed == rank_number())
        snprintf(said, sizeof said, "on rank %d %s", failed, guard->fault);
    ranks_broadcast_from(failed, said, sizeof said);
    free(guard->fault);
    guard->fault = format_string("%s", said);
}

int passes_finite_guard(network *net, int last) {
    struct finite_guard *guard = net->guard;
    if (!guard)
        return 1;
    find_step_fault(guard, last);
    if (last)
        agree_on_fault(guard);
    if (guard->fault && last && !guard->before)
        stop(guard, guard->fault);
    return !guard->fault;
}

void finite_guard_begin(struct finite_guard *guard) {
    if (guard->before)
        step_snapshot_take(guard->before, guard->net);
}

static void drop_update(struct finite_guard *guard) {
    network *net = guard->net;
    layer *dlb = find_dlb_cost_layer(net);
    step_snapshot_put_back(guard->before, net);
    if (dlb)
        forget_dlb_cost_teachers(dlb);
    fprintf(stderr, "Dropped the update of iteration %zu, learning rate %g: %s\n",
            get_current_batch(net), get_current_rate(net), guard->fault);
    free(guard->fault);
    guard->fault = NULL;
    guard->dropped++;
}

/* The logits at hand are the last micro-batch's, so a NaN is a fault whatever they are. */
void finite_guard_check_deferred(const struct finite_guard *guard, float sum) {
    if (is_finite_value(sum) || (!is_not_a_number(sum) && is_underflow(guard->net)))
        return;
    stop(guard, describe_loss(guard->net, sum));
}

bool finite_guard_end(struct finite_guard *guard) {
    guard->watched++;
    if (guard->fault) {
        drop_update(guard);
        return true;
    }
    char *fault = is_on_gpu(guard->net) ? NULL : find_fault(guard->net, PARAMETERS);
    if (fault)
        stop(guard, fault);
    return false;
}

void refuse_to_save_not_finite(const network *net, const char *file) {
    char *fault = is_on_gpu(net) ? NULL : find_fault(net, PARAMETERS);
    if (fault)
        fail("%s is not written: %s", file, fault);
}

/* ---- life ---- */

struct finite_guard *finite_guard_create(network *net, const char *cfg_file, bool drops) {
    if (drops && is_on_gpu(net))
        fail("%s: -on_nan=skip works only on the CPU; add -nogpu", cfg_file);
    struct finite_guard *guard = allocate(1, sizeof *guard);
    guard->net = net;
    guard->cfg_file = cfg_file;
    guard->before = drops ? step_snapshot_create(net) : NULL;
    net->guard = guard;
    return guard;
}

void finite_guard_free(struct finite_guard *guard) {
    if (!guard)
        return;
    guard->net->guard = NULL;
    step_snapshot_free(guard->before);
    free(guard->fault);
    free(guard);
}

int finite_guard_watched(const struct finite_guard *guard) {
    return guard->watched;
}

int finite_guard_dropped(const struct finite_guard *guard) {
    return guard->dropped;
}
