/* Trainings with cuda_graph=1 without a card: with a stand-in for CUDA, and layers whose backward
 * pass only makes gradients up, of weights, input and micro-batch. The host's and the plugin's code
 * around them is the real one. Each iteration must leave what it leaves without graphs, bit for
 * bit: an update that is left out, done twice, of another rate or in another order is found. Ends
 * with 1 and a sentence where that is wrong. */
#include "stand_in_cuda.h"

#include "dlb_cost_layer.h"
#include "half_float.h"
#include "layer_arrays.h"
#include "loss_scale_gpu.h"
#include "network.h"
#include "recipe.h"
#include "step_graph.h"
#include "step_losses.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { BATCH = 8, ITERATIONS = 8, CHANGED = 4, SPOILED = 6, MOST_PARTS = 4 };

static const char CFG[] =
    "[net]\nbatch=%d\nsubdivisions=%d\nwidth=4\nheight=4\nchannels=1\nmomentum=.9\ndecay=.1\n"
    "learning_rate=.25\nmax_batches=20\npolicy=exp\ngamma=.5\n%s\n"
    "[convolutional]\nbatch_normalize=1\nfilters=3\nsize=3\npad=1\nactivation=relu\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n%s";

/* ---- layers ---- */

static network *at_work; /* whose passes these are */
static int host_updates;

typedef struct {
    float *updates;
    const float *values, *input;
    size_t count;
    int slot;
} gradient;

static void run_gradient(const void *arguments) {
    const gradient *g = arguments;
    for (size_t i = 0; i < g->count; i++)
        g->updates[i] += (float)(1 + g->slot) * g->input[i % BATCH] - g->values[i];
}

static void pass_nothing(layer l, network net) {
    (void)l, (void)net;
}

static void make_gradients(layer l, network net) {
    const layer *dlb = find_dlb_cost_layer(at_work);
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(&l, arrays);
    (void)net;
    for (int i = 0; i < count; i++) {
        gradient g = {.updates = arrays[i].updates_gpu,
                      .values = arrays[i].values_gpu,
                      .input = at_work->input_gpu,
                      .count = arrays[i].count,
                      .slot = dlb ? dlb_cost_slot(dlb) : 0};
        if (arrays[i].updates)
            put_work(gpu_stream(), run_gradient, &g, sizeof g);
    }
}

static void count_update(layer l, update_args a) {
    (void)l, (void)a;
    host_updates++;
}

/* ---- networks ---- */

static network *parse(const char *keys, const char *end, int parts) {
    char file[] = "/tmp/step_graphs_XXXXXX";
    int handle = mkstemp(file);
    dprintf(handle, CFG, BATCH, parts, keys, end);
    close(handle);
    gpu_index = -1;
    network *net = parse_network_cfg(file);
    unlink(file);
    return net;
}

static float *on_device(const float *from, size_t count) {
    return from ? cuda_make_array((float *)from, count) : NULL;
}

/* What the parser would have made with a card. */
static void move_layer(layer *l) {
    size_t biases = (size_t)(l->type == CONNECTED ? l->outputs : l->n);
    size_t weights = l->type == CONNECTED ? (size_t)l->inputs * biases : (size_t)l->nweights;
    l->forward_gpu = pass_nothing;
    l->backward_gpu = make_gradients;
    l->update_gpu = l->update ? count_update : NULL;
    l->delta_gpu = on_device(l->delta, (size_t)l->batch * (size_t)l->outputs);
    if (!l->update)
        return;
    for (size_t i = 0; i < weights; i++)
        l->weights[i] = (float)(1 + i % 5) / 4;
    l->weights_gpu = on_device(l->weights, weights);
    l->weight_updates_gpu = on_device(l->weight_updates, weights);
    l->biases_gpu = on_device(l->biases, biases);
    l->bias_updates_gpu = on_device(l->bias_updates, biases);
    l->scales_gpu = on_device(l->scales, biases);
    l->scale_updates_gpu = on_device(l->scale_updates, biases);
}

static network *make_network_on_device(const char *keys, const char *end, int parts, bool half) {
    network *net = parse(keys, end, parts);
    gpu_index = net->gpu_index = the_card;
    for (int i = 0; i < net->n; i++)
        move_layer(&net->layers[i]);
    net->input_gpu = on_device(net->input, (size_t)(net->inputs * net->batch));
    net->truth_gpu = on_device(net->truth, (size_t)(net->truths * net->batch));
    if (half)
        net->half = HALF_FLOAT16;
    net->loss_scale = make_device_loss_scale(net);
    allow_recipe_training(net);
    defer_losses(net);
    layer *dlb = find_dlb_cost_layer(net);
    if (dlb)
        prepare_dlb_cost_training(dlb, net, "test.cfg");
    return net;
}

/* ---- iterations ---- */

static void fill(network *net, int iteration, int part, bool half) {
    static int64_t ids[BATCH];
    layer *dlb = find_dlb_cost_layer(net);
    for (int i = 0; i < net->batch * net->inputs; i++)
        net->input[i] = (float)((i + iteration + 3 * part) % 7) / 4;
    if (half && iteration == SPOILED && part == 0)
        net->input[1] = NAN;
    if (dlb)
        set_dlb_cost_samples(dlb, part, ids);
    at_work = net;
}

static void train_iteration(network *net, int iteration, bool half) {
    for (int part = 0; part < net->subdivisions; part++) {
        fill(net, iteration, part, half);
        train_network_datum(net);
    }
}

static void expect_equal(const char *what, int iteration, const network *got,
                         const network *expected) {
    if (*got->t != *expected->t || *got->seen != *expected->seen)
        fail("%s, iteration %d: %d updates, %zu images in place of %d, %zu", what, iteration,
             *got->t, *got->seen, *expected->t, *expected->seen);
    for (int i = 0; i < got->n; i++) {
        layer_array a[MOST_LAYER_ARRAYS], b[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&got->layers[i], a);
        list_layer_arrays(&expected->layers[i], b);
        for (int k = 0; k < count; k++)
            if (a[k].updates &&
                (memcmp(a[k].values_gpu, b[k].values_gpu, a[k].count * sizeof(float)) != 0 ||
                 memcmp(a[k].updates_gpu, b[k].updates_gpu, a[k].count * sizeof(float)) != 0))
                fail("%s, iteration %d: %s of layer %d differ", what, iteration, a[k].name, i);
    }
}

static void expect_steps(const char *what, network *net, int last) {
    for (int part = 0; part < net->subdivisions; part++) {
        int expected = part == net->subdivisions - 1 ? last : STEP_WITHOUT_UPDATE;
        fill(net, ITERATIONS, part, false);
        *net->seen += (size_t)net->batch;
        int done = run_step_graph(net);
        if (done != expected)
            fail("%s: micro-batch %d has done %d in place of %d", what, part, done, expected);
    }
}

/* `last` is what an iteration's last step does where it is a graph. In the midst the network
 * changes, so that some steps are none; at which micro-batch, `parts` says. */
static void compare(const char *keys, const char *end, int parts, bool half, int last) {
    network *net = make_network_on_device(keys, end, parts, half),
            *plain = make_network_on_device(keys, end, parts, half);
    float *weights = net->layers[0].weights_gpu, before;
    use_step_graphs(net);
    host_updates = 0;
    for (int i = 0; i < ITERATIONS; i++) {
        before = *weights;
        if (i == CHANGED)
            net->layers[0].temperature++;
        train_iteration(net, i, half);
        train_iteration(plain, i, half);
        cudaDeviceSynchronize();
        expect_equal(keys, i, net, plain);
        bool left_out = (half && i == SPOILED) || last != STEP_AND_UPDATE;
        if ((*weights == before) != left_out)
            fail("%s, iteration %d: the update is %s", keys, i, left_out ? "done" : "left out");
    }
    if (host_updates != (last == STEP_AND_UPDATE ? 0 : 2 * 2 * ITERATIONS)) /* layers, networks */
        fail("%s: the host has updated %d layers", keys, host_updates);
    report_half_updates(net);
    if (half_updates_dropped(net) != half)
        fail("%s: %d updates are left out", keys, half_updates_dropped(net));
    expect_steps(keys, net, last);
    cudaDeviceSynchronize();
    free_step_graphs(net->graphs);
    stream_count = 1;
}

int main(void) {
    static const char DLB[] = "[dlb_cost]\n";
    for (int seed = 1; seed <= 5; seed++)
        for (int parts = 1; parts <= MOST_PARTS; parts *= 2) {
            srand((unsigned)seed);
            compare("decay_all=0", "", parts, false, STEP_AND_UPDATE);
            compare("nesterov=1", "", parts, false, STEP_AND_UPDATE);
            compare("decay_all=1", DLB, parts, false, STEP_AND_UPDATE);
            compare("decay_all=1", DLB, parts, true, STEP_AND_UPDATE);
            compare("nesterov=1", "", parts, true, STEP_AND_UPDATE);
            compare("adam=1", "", parts, false, STEP_WITHOUT_UPDATE);
        }
    return 0;
}
