/* The sums over the ranks of a network on GPUs, under mpirun and with the emulated CUDA, of which
 * EMULATED_GPUS=2 gives each rank a card. Each array becomes momentum once and all ranks'
 * gradients, the rolling statistics their means. Ends with 1 and a sentence where that is wrong.
 *
 *   mpirun -np 2 device_sums own|shared            with a card for each rank, or one for both
 *   mpirun -np 2 device_sums own|shared slow       a backward pass takes longer than ranks wait
 *   mpirun -np 2 device_sums own lost|silent       so is NCCL after its start (see nccl.h)
 *   mpirun -np 2 device_sums own unanswered        silent from its start on
 *
 * The last two have to end with 1 and one sentence. EMULATED_PACE can go with the first. */
#include "gpu_status.h"
#include "gpu_stream.h"

#include "blas.h"
#include "cuda.h"
#include "fail.h"
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

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 4, CAPTURED = 2, FEW = 8, MANY = 1000 };

/* MANY filters are more than a bucket holds. */
static const char CFG[] =
    "[net]\nbatch=12\nwidth=3\nheight=3\nchannels=3\nmomentum=.9\nlearning_rate=.1\n%s\n"
    "[convolutional]\nbatch_normalize=1\nfilters=120\nsize=3\npad=1\nactivation=relu\n"
    "[convolutional]\nbatch_normalize=1\nfilters=%d\nsize=3\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n[avgpool]\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n";

static network *parse(const char *keys, int filters) {
    char file[] = "/tmp/device_sums_XXXXXX";
    int handle = mkstemp(file);
    dprintf(handle, CFG, keys, filters);
    close(handle);
    network *net = parse_network_cfg(file);
    unlink(file);
    return net;
}

/* ---- arrays, in the order of the layers ---- */

/* All of a network that the ranks add up or average. */
typedef struct {
    layer_array *all; /* (count) */
    float **sources;  /* (count), on the device: where gradients come from */
    int count;
} array_list;

static float *floats_of(const layer_array *a) {
    return a->updates ? a->updates_gpu : a->values_gpu;
}

static array_list list_arrays(const network *net) {
    size_t most = MOST_LAYER_ARRAYS * (size_t)net->n;
    array_list list = {allocate(most, sizeof *list.all), allocate(most, sizeof *list.sources), 0};
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++) {
            list.all[list.count] = arrays[k];
            list.sources[list.count++] = cuda_make_array(NULL, arrays[k].count);
        }
    }
    return list;
}

static void drop_list(const array_list *list) {
    for (int i = 0; i < list->count; i++)
        cuda_free(list->sources[i]);
    free(list->all);
    free(list->sources);
}

static float momentum_of(int number, size_t at) {
    return (float)(number + (int)(at % 5));
}

/* What a rank's backward pass adds to a gradient, or makes of a rolling statistic. */
static float value_of(int rank, int round, int number, size_t at) {
    return (float)((rank + 2) * (number + 1) + round + (int)(at % 7));
}

/* A copy in the default stream that waits for nothing, as cuda_push_array() would. */
static void push(float *to, const float *values, size_t count) {
    check_error(cudaMemcpyAsync(to, values, count * sizeof *values, cudaMemcpyHostToDevice, 0));
}

static void set_momentum(const array_list *list) {
    for (int i = 0; i < list->count; i++) {
        const layer_array *a = &list->all[i];
        float *values = allocate(a->count, sizeof *values);
        for (size_t at = 0; at < a->count; at++)
            values[at] = momentum_of(i, at);
        if (a->updates)
            push(a->updates_gpu, values, a->count);
        free(values);
    }
}

static void make_gradient(const array_list *list, int number, int round) {
    const layer_array *a = &list->all[number];
    float *values = allocate(a->count, sizeof *values);
    for (size_t at = 0; at < a->count; at++)
        values[at] = value_of(rank_number(), round, number, at);
    push(list->sources[number], values, a->count);
    free(values);
    if (a->updates)
        axpy_gpu((int)a->count, 1, list->sources[number], 1, a->updates_gpu, 1);
    else
        copy_gpu((int)a->count, list->sources[number], 1, a->values_gpu, 1);
}

static float expected_of(const array_list *list, int number, int round, size_t at, bool joined) {
    float sum = 0;
    for (int rank = 0; rank < rank_count(); rank++)
        sum += value_of(rank, round, number, at);
    if (list->all[number].updates)
        return momentum_of(number, at) + sum;
    return joined ? value_of(rank_number(), round, number, at) : sum / (float)rank_count();
}

static void expect_sums(const array_list *list, int round, bool joined) {
    for (int i = 0; i < list->count; i++) {
        const layer_array *a = &list->all[i];
        float *values = allocate(a->count, sizeof *values);
        cuda_pull_array(floats_of(a), values, a->count);
        for (size_t at = 0; at < a->count; at++) {
            float expected = expected_of(list, i, round, at, joined);
            if (values[at] != expected)
                fail("round %d, %s, array %d at %zu: %g in place of %g", round, a->name, i, at,
                     values[at], expected);
        }
        free(values);
    }
}

/* ---- rounds ---- */

static void go_through_layers(network *net, const array_list *list, int round, bool sums) {
    int number = list->count;
    for (int i = net->n - 1; i >= 0; i--) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        for (int left = list_layer_arrays(&net->layers[i], arrays); left > 0; left--)
            make_gradient(list, --number, round);
        if (sums)
            gradients_are_ready(net, i);
    }
}

/* The pass of a step that is captured is without sums, which come after its launch. */
static void go_without_sums(network *net) {
    cudaStream_t captured;
    check_error(cudaStreamCreate(&captured));
    set_gpu_stream(captured);
    for (int i = net->n - 1; i >= 0; i--)
        gradients_are_ready(net, i);
    finish_gradient_sums(net);
    set_gpu_stream(0);
    check_error(cudaStreamDestroy(captured));
}

static void go_round(network *net, const array_list *list, int round, bool captured) {
    set_momentum(list);
    begin_iteration_of_ranks(net);
    sum_gradients_next(net);
    if (captured)
        go_without_sums(net);
    go_through_layers(net, list, round, !captured);
    finish_gradient_sums(net);
    list_parameters_gpu(net); /* as the first update does */
    await_gradient_sums(net);
}

static const char *trouble = "";

static bool trouble_is(const char *name) {
    return !strcmp(trouble, name);
}

static void spoil(const char *variable, const char *how, int rank_timeout) {
    setenv(variable, how, 1);
    set_rank_timeout(rank_timeout);
}

static void begin_trouble(void) {
    if (trouble_is("silent") || trouble_is("lost"))
        spoil("EMULATED_NCCL", trouble, 1);
    if (trouble_is("slow"))
        spoil("EMULATED_PACE", "slow", 10);
}

static void sums_of(const char *keys, int filters, bool joined) {
    network *net = parse(keys, filters);
    array_list list = list_arrays(net);
    allow_recipe_training(net);
    if (has_validation_copy(net))
        fail("a second network takes the memory of a GPU");
    defer_losses(net);
    if (!losses_are_deferred(net))
        fail("the sums are waited for before the update");
    prepare_gradient_sums(net);
    begin_trouble();
    for (int round = 0; round < ROUNDS; round++) {
        go_round(net, &list, round, round == CAPTURED);
        expect_sums(&list, round, joined);
    }
    free_gradient_sums(net);
    if (trouble_is("slow"))
        unsetenv("EMULATED_PACE");
    drop_list(&list);
    free_network(net);
}

/* ---- statistics ---- */

static void expect_near(const char *what, float value, float expected) {
    if (!(fabsf(value - expected) <= 1e-4f))
        fail("%s %g in place of %g", what, value, expected);
}

/* Of two values a rank: those of rank r are 4r and 4r + 2. */
static void statistics_are_joined(void) {
    float mean = 4 * (float)rank_number() + 1, variance = 2, all_mean = 0, around = 0;
    int count = 2 * rank_count();
    network *net = parse("sync_bn=1", FEW);
    for (int i = 0; i < count; i++)
        all_mean += 2 * (float)i / (float)count;
    for (int i = 0; i < count; i++)
        around += (2 * (float)i - all_mean) * (2 * (float)i - all_mean);
    float *mean_gpu = cuda_make_array(&mean, 1), *variance_gpu = cuda_make_array(&variance, 1);
    join_statistics_gpu(net, 1, 2, mean_gpu, variance_gpu);
    cuda_pull_array(mean_gpu, &mean, 1);
    cuda_pull_array(variance_gpu, &variance, 1);
    expect_near("mean", mean, all_mean);
    expect_near("variance", variance, around / (float)(count - 1));
    expect_near("variance where cuDNN normalises", variance * biased_part_of_variance(net, 2),
                around / (float)count);
    cuda_free(mean_gpu);
    cuda_free(variance_gpu);
    free_network(net);
}

int main(int argc, char **argv) {
    static char *options[] = {"device_sums", "-gpus", "0,0"};
    static char *cut[] = {"darknet", "classifier", NULL, NULL}; /* -i 0 was there */
    const int cards[] = {0, 0};
    int card;
    bool share = argc > 1 && !strcmp(argv[1], "shared");
    trouble = argc > 2 ? argv[2] : "";
    ranks_begin();
    note_card_options(share ? 3 : 1, options);
    if (takes_card_itself(4, cut))
        fail("classifier alone takes no card");
    gpu_index = 0;
    take_card_of_rank(cards, share ? 2 : 1);
    check_error(cudaGetDevice(&card));
    if (card != (share ? 0 : rank_number()))
        fail("the card is %d", card);
    share_networks(true);
    if (trouble_is("unanswered"))
        spoil("EMULATED_NCCL", "silent", 1);
    sums_of("", MANY, false);
    sums_of("sync_bn=1", FEW, true);
    statistics_are_joined();
    ranks_end();
    return 0;
}
