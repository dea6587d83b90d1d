#include "dlb_cost_state.h"

#include "dlb_loss.h"
#include "dlb_options.h"
#include "fail.h"
#include "network.h"
#include "option_list.h"
#include "shared_network.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void check_softmax(const char *cfg_file, layer softmax, int index) {
    if (softmax.groups != 1)
        fail("%s: [dlb_cost] needs [softmax] groups=1, but layer %d has groups=%d", cfg_file, index,
             softmax.groups);
    if (softmax.spatial)
        fail("%s: [dlb_cost] needs [softmax] spatial=0, but layer %d has spatial=%d", cfg_file,
             index, softmax.spatial);
    if (softmax.softmax_tree)
        fail("%s: [dlb_cost] needs a [softmax] without tree=, but layer %d has one", cfg_file,
             index);
    if (softmax.noloss)
        fail("%s: [dlb_cost] needs the cross entropy of its [softmax], but layer %d has noloss=%d",
             cfg_file, index, softmax.noloss);
}

/* The nearest softmax above `index`. */
static int find_softmax(const char *cfg_file, const network *net, int index) {
    for (int i = index - 1; i >= 0; i--)
        if (net->layers[i].type == SOFTMAX)
            return i;
    fail("%s: [dlb_cost], layer %d, has no [softmax] above it", cfg_file, index);
}

/* Whether layer `next` adds to the delta of the layer before it. Others of the host's layers
 * overwrite it in their backward pass, and this layer's gradient would be lost. */
static bool adds_to_its_input(LAYER_TYPE type) {
    return type == SOFTMAX || type == CONNECTED || type == ROUTE || type == SHORTCUT ||
           type == DROPOUT || type == BATCHNORM || type == ACTIVE;
}

static int find_logits(const char *cfg_file, const network *net, const dlb_options *options,
                       int index, int softmax) {
    int logits = softmax - 1;
    if (options->has_logits)
        logits = options->logits < 0 ? index + options->logits : options->logits;
    if (softmax == 0)
        fail("%s: [dlb_cost] finds no logits, because its [softmax] is the first layer", cfg_file);
    if (logits < 0 || logits >= index)
        fail("%s: [dlb_cost] logits=%d is not a layer above it, 0 to %d or -%d to -1", cfg_file,
             options->logits, index - 1, index);
    if (net->layers[logits].type == SOFTMAX)
        fail("%s: [dlb_cost] logits=%d: layer %d is a [softmax], whose outputs are probabilities",
             cfg_file, options->logits, logits);
    if (net->layers[logits].outputs != net->layers[softmax].inputs)
        fail("%s: [dlb_cost] logits=%d: layer %d has %d outputs, but the softmax %d inputs",
             cfg_file, options->has_logits ? options->logits : logits, logits,
             net->layers[logits].outputs, net->layers[softmax].inputs);
    LAYER_TYPE next = logits + 1 < index ? net->layers[logits + 1].type : DLB_COST;
    if (next != DLB_COST && !adds_to_its_input(next))
        fail("%s: [dlb_cost] logits=%d: the [%s] after layer %d overwrites its gradient", cfg_file,
             options->logits, get_layer_string(next), logits);
    if (!net->layers[logits].delta)
        fail("%s: [dlb_cost] logits=%d: layer %d, a [%s], takes no gradient", cfg_file,
             options->logits, logits, get_layer_string(net->layers[logits].type));
    return logits;
}

static void check_place(const char *cfg_file, int index, const char *next_section) {
    if (next_section && !strcmp(next_section, "[dlb_cost]"))
        fail("%s: two [dlb_cost] sections, layers %d and %d; one is the most", cfg_file, index,
             index + 1);
    if (next_section)
        fail("%s: [dlb_cost], layer %d, must be the last section, but %s follows", cfg_file, index,
             next_section);
}

static dlb_options read_options(const char *cfg_file, list *pairs) {
    const char **keys = allocate((size_t)pairs->size, sizeof *keys);
    const char **values = allocate((size_t)pairs->size, sizeof *values);
    int count = 0;
    for (node *n = pairs->front; n; n = n->next) {
        kvp *pair = n->val;
        pair->used = 1;
        keys[count] = pair->key;
        values[count++] = pair->val;
    }
    dlb_options options = dlb_options_parse(cfg_file, keys, values, count);
    free(keys);
    free(values);
    return options;
}

layer parse_dlb_cost(char *cfg_file, list *pairs, network *net, int index,
                     const char *next_section) {
    fprintf(stderr, "dlb_cost                                       %4d\n",
            index ? net->layers[index - 1].outputs : 0);
    dlb_options options = read_options(cfg_file, pairs);
    check_place(cfg_file, index, next_section);
    int softmax = find_softmax(cfg_file, net, index);
    check_softmax(cfg_file, net->layers[softmax], softmax);
    int logits = find_logits(cfg_file, net, &options, index, softmax);
    fprintf(stderr, "      alpha %g, temperature %g, logits of layer %d\n", options.alpha,
            options.temperature, logits);
    return make_dlb_cost_layer(net->batch, net->layers[softmax].inputs, logits, softmax,
                               options.alpha, options.temperature, net->layers[index - 1].output);
}

layer make_dlb_cost_layer(int batch, int classes, int logits_layer, int softmax_layer, float alpha,
                          float temperature, float *output) {
    struct dlb_cost *dlb = allocate(1, sizeof *dlb);
    dlb->alpha = alpha;
    dlb->temperature = temperature;
    dlb->logits_layer = logits_layer;
    dlb->softmax_layer = softmax_layer;
    dlb->classes = classes;
    layer l = {0};
    l.type = DLB_COST;
    l.batch = batch;
    l.inputs = classes;
    l.outputs = classes;
    l.output = output;
    l.dlb = dlb;
    l.forward = forward_dlb_cost_layer;
    l.backward = backward_dlb_cost_layer;
#ifdef GPU
    l.forward_gpu = forward_dlb_cost_layer_gpu;
    l.backward_gpu = backward_dlb_cost_layer_gpu;
#endif
    return l;
}

void free_dlb_cost_layer(layer l) {
#ifdef GPU
    free_dlb_cost_device(l.dlb->device);
#endif
    logit_ring_free(l.dlb->ring);
    free(l.dlb->delta);
    free(l.dlb);
}

layer *find_dlb_cost_layer(network *net) {
    layer *last = &net->layers[net->n - 1];
    return last->type == DLB_COST ? last : NULL;
}

static size_t delta_values(const struct dlb_cost *dlb) {
    return (size_t)dlb->half * (size_t)dlb->classes;
}

void prepare_dlb_cost_training(layer *l, const network *net, const char *cfg_file) {
    struct dlb_cost *dlb = l->dlb;
    if (net->batch % 2)
        fail(
            "%s: [dlb_cost] revisits half of each micro-batch, but batch/subdivisions = %d/%d = %d "
            "is odd",
            cfg_file, net->batch * net->subdivisions, net->subdivisions, net->batch);
    dlb->slots = net->subdivisions * count_own_shards(net);
    dlb->half = net->batch / 2;
#ifdef GPU
    if (net->gpu_index >= 0) {
        dlb->device = make_dlb_cost_device(dlb);
        return;
    }
#endif
    dlb->ring = logit_ring_create(dlb->slots, dlb->half, dlb->classes);
    dlb->delta = allocate(delta_values(dlb), sizeof *dlb->delta);
}

void need_dlb_cost_samples(const struct dlb_cost *dlb) {
    if (!dlb->ids)
        fail("[dlb_cost] trains only with `classifier train` and without -stock_loader, because it "
             "must know which images are revisited");
}

void set_dlb_cost_samples(layer *l, int slot, const int64_t *ids) {
    l->dlb->slot = slot;
    l->dlb->ids = ids;
}

int dlb_cost_slot(const layer *l) {
    return l->dlb->slot;
}

void forget_dlb_cost_teachers(layer *l) {
#ifdef GPU
    if (l->dlb->device) {
        clear_dlb_cost_device_ring(l->dlb->device);
        return;
    }
#endif
    logit_ring_clear(l->dlb->ring);
}

/* Fewer classes than this in all rows together are done sooner than threads are woken. */
enum { CLASSES_WORTH_THREADS = 1 << 15 };

/* Rows whose losses wait to be summed, in their order, whichever thread had them. */
enum { ROWS_AT_ONCE = 256 };

static int rows_at_once(int left) {
    return left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
}

/* The loss that the softmax layer trains, without its infinite logarithms of 0. */
static void add_cross_entropy(struct dlb_cost *dlb, network net) {
    const float *logits = net.layers[dlb->softmax_layer - 1].output; /* (2 * half, classes) */
    double temperature = net.layers[dlb->softmax_layer].temperature;
    double losses[ROWS_AT_ONCE], sum = 0;
    size_t classes = (size_t)dlb->classes;
    int rows = 2 * dlb->half;
    for (int first = 0, count; first < rows; first += count) {
        count = rows_at_once(rows - first);
#pragma omp parallel for if ((size_t)count * classes > CLASSES_WORTH_THREADS)
        for (int i = 0; i < count; i++) {
            size_t at = (size_t)(first + i) * classes;
            losses[i] = dlb_cross_entropy(logits + at, net.truth + at, dlb->classes, temperature);
        }
        for (int i = 0; i < count; i++)
            sum += losses[i];
    }
    dlb->sums.cross_entropy += sum;
}

/* The loss of one revisited row, whose gradient goes into its delta. Returns whether it has a
 * teacher; without one the loss is 0. */
static bool distil_row(struct dlb_cost *dlb, const float *logits, int row, double *loss) {
    size_t at = (size_t)row * (size_t)dlb->classes;
    double weight = dlb_cost_weight(dlb);
    const float *teacher = logit_ring_find(dlb->ring, dlb->slot, row, dlb->ids[row]);
    *loss = teacher ? dlb_row(logits + at, teacher, dlb->classes, dlb->temperature, weight,
                              dlb->delta + at)
                    : 0;
    return teacher;
}

/* Losses and gradient of the revisited rows, logits (half, classes). */
static void distil(struct dlb_cost *dlb, const float *logits) {
    double losses[ROWS_AT_ONCE], sum = 0;
    size_t classes = (size_t)dlb->classes;
    int teachers = 0;
    memset(dlb->delta, 0, (size_t)dlb->half * classes * sizeof *dlb->delta);
    for (int first = 0, count; first < dlb->half; first += count) {
        count = rows_at_once(dlb->half - first);
#pragma omp parallel for reduction(+ : teachers) if ((size_t)count * classes > CLASSES_WORTH_THREADS)
        for (int i = 0; i < count; i++)
            teachers += distil_row(dlb, logits, first + i, &losses[i]);
        for (int i = 0; i < count; i++)
            sum += losses[i];
    }
    dlb->sums.teachers += teachers;
    dlb->sums.consistency += sum;
}

void forward_dlb_cost_layer(layer l, network net) {
    struct dlb_cost *dlb = l.dlb;
    if (!net.train)
        return;
    need_dlb_cost_samples(dlb);
    const float *logits = net.layers[dlb->logits_layer].output; /* (2 * half, classes) */
    add_cross_entropy(dlb, net);
    distil(dlb, logits);
    logit_ring_store(dlb->ring, dlb->slot, logits + (size_t)dlb->half * (size_t)dlb->classes,
                     dlb->ids + dlb->half);
}

void backward_dlb_cost_layer(layer l, network net) {
    struct dlb_cost *dlb = l.dlb;
    axpy_cpu(dlb->half * dlb->classes, 1, dlb->delta, 1, net.layers[dlb->logits_layer].delta, 1);
}

dlb_cost_sums take_dlb_cost_sums(layer *l) {
#ifdef GPU
    if (l->dlb->device)
        return take_dlb_cost_device_sums(l->dlb->device);
#endif
    dlb_cost_sums sums = l->dlb->sums;
    l->dlb->sums = (dlb_cost_sums){0};
    return sums;
}

float dlb_cost_alpha(const layer *l) {
    return l->dlb->alpha;
}

struct logit_ring *dlb_cost_ring(layer *l) {
    struct dlb_cost *dlb = l->dlb;
#ifdef GPU
    if (dlb->device) {
        if (!dlb->ring)
            dlb->ring = logit_ring_create(dlb->slots, dlb->half, dlb->classes);
        pull_dlb_cost_device_ring(dlb->device, logit_ring_all(dlb->ring));
    }
#endif
    return dlb->ring;
}

void take_dlb_cost_ring(layer *l) {
#ifdef GPU
    if (l->dlb->device)
        push_dlb_cost_device_ring(l->dlb->device, logit_ring_all(l->dlb->ring));
#endif
    (void)l;
}

dlb_cost_facts describe_dlb_cost(const layer *l) {
    const struct dlb_cost *dlb = l->dlb;
    size_t rows = (size_t)dlb->slots * (size_t)dlb->half;
    size_t row_bytes = (size_t)dlb->classes * sizeof(float) + sizeof(int64_t);
    return (dlb_cost_facts){.alpha = dlb->alpha,
                            .temperature = dlb->temperature,
                            .logits_layer = dlb->logits_layer,
                            .classes = dlb->classes,
                            .half = dlb->half,
                            .ring_bytes =
                                dlb->ring ? logit_ring_bytes(dlb->ring) : rows * row_bytes,
                            .delta_bytes = dlb->delta ? delta_values(dlb) * sizeof(float) : 0};
}
