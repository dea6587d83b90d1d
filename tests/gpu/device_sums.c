/* The sums over the ranks of a network on GPUs, under mpirun and without a card: with a stand-in
 * for CUDA and NCCL. Each array becomes momentum once and all ranks' gradients, the rolling
 * statistics their means. Ends with 1 and a sentence where that is wrong.
 *
 *   mpirun -np 2 device_sums own        with a card for each rank
 *   mpirun -np 2 device_sums shared     with one card
 *   mpirun -np 2 device_sums lost       NCCL reports that a rank is gone: has to end with 1
 *   mpirun -np 2 device_sums silent     a rank does not answer: the same, after a second
 *   mpirun -np 2 device_sums unanswered    nor does it at the start
 *   mpirun -np 2 device_sums slow       a backward pass takes longer than ranks wait */
#include "stand_in_cuda.h"

#include "gradient_sums.h"
#include "joined_statistics_gpu.h"
#include "layer_arrays.h"
#include "network.h"
#include "rank_device.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network.h"
#include "step_losses.h"
#include "whole_network_gpu.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 8 };

static const char CFG[] =
    "[net]\nbatch=12\nwidth=12\nheight=12\nchannels=3\nmomentum=.9\nlearning_rate=.1\n%s\n"
    "[convolutional]\nbatch_normalize=1\nfilters=120\nsize=3\npad=1\nactivation=relu\n"
    "[convolutional]\nbatch_normalize=1\nfilters=1000\nsize=3\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n[avgpool]\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n";

static network *parse(const char *keys) {
    char file[] = "/tmp/device_sums_XXXXXX";
    int handle = mkstemp(file);
    dprintf(handle, CFG, keys);
    close(handle);
    gpu_index = -1;
    network *net = parse_network_cfg(file);
    unlink(file);
    return net;
}

/* The number of an array, for values of its own. */
static float value_of(int rank, int round, size_t number, size_t at) {
    return (float)((rank + 2) * (int)(number + 1) + round + (int)(at % 7));
}

static float *on_device(const float *from, size_t count) {
    return from ? cuda_make_array((float *)from, count) : NULL;
}

/* What the parser would have made with a card. */
static void move_to_device(network *net) {
    gpu_index = net->gpu_index = the_card;
    for (int i = 0; i < net->n; i++) {
        layer *l = &net->layers[i];
        size_t biases = (size_t)(l->type == CONNECTED ? l->outputs : l->n);
        size_t weights = l->type == CONNECTED ? (size_t)l->inputs * biases : (size_t)l->nweights;
        l->weights_gpu = on_device(l->weights, weights);
        l->weight_updates_gpu = on_device(l->weight_updates, weights);
        l->biases_gpu = on_device(l->biases, biases);
        l->bias_updates_gpu = on_device(l->bias_updates, biases);
        l->scales_gpu = on_device(l->scales, biases);
        l->scale_updates_gpu = on_device(l->scale_updates, biases);
        l->rolling_mean_gpu = on_device(l->rolling_mean, biases);
        l->rolling_variance_gpu = on_device(l->rolling_variance, biases);
    }
}

/* ---- a backward pass ---- */

typedef struct {
    float *floats;
    size_t count, number;
    int round;
    bool adds;
} gradient;

static void run_gradient(const void *arguments) {
    const gradient *g = arguments;
    for (size_t i = 0; i < g->count; i++) {
        float value = value_of(rank_number(), g->round, g->number, i);
        g->floats[i] = g->adds ? g->floats[i] + value : value;
    }
}

static float *summed_floats(const layer_array *a) {
    return a->updates ? a->updates_gpu : a->values_gpu;
}

static void go_through_layer(const network *net, int index, int round) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(&net->layers[index], arrays);
    for (int i = 0; i < count; i++) {
        const layer_array *a = &arrays[i];
        gradient g = {summed_floats(a), a->count, (size_t)(10 * index + i), round, a->updates};
        put_work(gpu_stream(), run_gradient, &g, sizeof g);
    }
}

/* ---- what is expected ---- */

static float momentum_of(size_t number, size_t at) {
    return (float)((int)number + (int)(at % 5));
}

static void set_momentum(const network *net) {
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++)
            for (size_t at = 0; at < arrays[k].count && arrays[k].updates; at++)
                arrays[k].updates_gpu[at] = momentum_of((size_t)(10 * i + k), at);
    }
}

static void expect_array(const layer_array *a, size_t number, int round, bool joined) {
    for (size_t at = 0; at < a->count; at++) {
        float sum = 0, expected;
        for (int rank = 0; rank < rank_count(); rank++)
            sum += value_of(rank, round, number, at);
        if (a->updates)
            expected = momentum_of(number, at) + sum;
        else
            expected =
                joined ? value_of(rank_number(), round, number, at) : sum / (float)rank_count();
        if (summed_floats(a)[at] != expected)
            fail("round %d, %s, number %zu at %zu: %g in place of %g", round, a->name, number, at,
                 summed_floats(a)[at], expected);
    }
}

static void expect_sums(const network *net, int round, bool joined) {
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++)
            expect_array(&arrays[k], (size_t)(10 * i + k), round, joined);
    }
}

/* ---- rounds ---- */

/* With `captured` as in a step that is captured: the pass is without sums, which come after it. */
static void go_round(network *net, int round, bool captured, bool joined) {
    set_momentum(net);
    begin_iteration_of_ranks(net);
    sum_gradients_next(net);
    set_gpu_stream(captured ? (cudaStream_t)&streams[MOST_STREAMS - 1] : 0);
    for (int i = net->n - 1; i >= 0; i--) {
        if (!captured)
            go_through_layer(net, i, round);
        gradients_are_ready(net, i);
    }
    finish_gradient_sums(net);
    set_gpu_stream(0);
    for (int i = net->n - 1; i >= 0 && captured; i--)
        go_through_layer(net, i, round);
    if (captured)
        finish_gradient_sums(net);
    list_parameters_gpu(net); /* as the first update does */
    await_gradient_sums(net);
    cudaDeviceSynchronize();
    expect_sums(net, round, joined);
}

static const char *mode;

static void spoil_nccl(void) {
    peers_are_silent = !strcmp(mode, "silent");
#ifdef DLB_NCCL
    if (!strcmp(mode, "lost"))
        answer_after = ncclRemoteError;
#endif
}

static void sums_of(const char *keys, bool joined) {
    network *net = parse(keys);
    allow_recipe_training(net);
    if (!has_validation_copy(net))
        fail("on the CPU all rows of a micro-batch are validated together");
    move_to_device(net);
    if (has_validation_copy(net))
        fail("a second network takes the memory of a GPU");
    defer_losses(net);
    if (!losses_are_deferred(net))
        fail("the sums are waited for before the update");
    peers_are_silent = !strcmp(mode, "unanswered");
    prepare_gradient_sums(net);
    spoil_nccl();
    for (int round = 0; round < ROUNDS; round++)
        go_round(net, round, round % 4 == 3, joined);
    free_gradient_sums(net);
    stream_count = 1;
}

/* Of two values a rank: those of rank r are 4r and 4r + 2. */
static void statistics_are_joined(void) {
    float mean = 4 * (float)rank_number() + 1, variance = 2, biased, all_mean = 0, around = 0;
    int count = 2 * rank_count();
    network *net = parse("sync_bn=1");
    gpu_index = net->gpu_index = the_card;
    for (int i = 0; i < count; i++)
        all_mean += 2 * (float)i / (float)count;
    for (int i = 0; i < count; i++)
        around += (2 * (float)i - all_mean) * (2 * (float)i - all_mean);
    join_statistics_gpu(net, 1, 2, &mean, &variance);
    biased = variance * biased_part_of_variance(net, 2);
    if (mean - all_mean > 1e-5f || all_mean - mean > 1e-5f ||
        variance - around / (float)(count - 1) > 1e-4f ||
        around / (float)(count - 1) - variance > 1e-4f)
        fail("mean %g, variance %g in place of %g, %g", mean, variance, all_mean,
             around / (float)(count - 1));
    if (biased - around / (float)count > 1e-4f || around / (float)count - biased > 1e-4f)
        fail("variance %g in place of %g where cuDNN normalises", biased, around / (float)count);
}

int main(int argc, char **argv) {
    static char *options[] = {"device_sums", "-nothing"};
    static char *cut[] = {"darknet", "classifier", NULL, NULL}; /* -i 0 was there */
    const int unused = 0;
    mode = argc > 1 ? argv[1] : "own";
    cards_are_shared = !strcmp(mode, "shared");
    ranks_begin();
    if (!strcmp(mode, "silent") || !strcmp(mode, "unanswered") || !strcmp(mode, "slow"))
        set_rank_timeout(1);
    slow_work = strcmp(mode, "slow") != 0 ? NULL : run_gradient;
    srand((unsigned)rank_number() + 1);
    note_card_options(2, options);
    if (takes_card_itself(4, cut))
        fail("classifier alone takes no card");
    gpu_index = 0;
    take_card_of_rank(&unused, 1);
    if (the_card != rank_number())
        fail("the card is %d", the_card);
    share_networks(true);
    sums_of("", false);
    sums_of("sync_bn=1", true);
    statistics_are_joined();
    ranks_end();
    return 0;
}
