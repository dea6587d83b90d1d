#include "gradient_sums_gpu.h"

#if defined(GPU) && defined(DLB_MPI)
#include "array_list_kernels.h"
#include "bucket_flow.h"
#include "device_event.h"
#include "device_list.h"
#include "fail.h"
#include "gpu_stream.h"
#include "layer_arrays.h"
#include "nccl_sums.h"
#include "pinned_sums.h"
#include "rank_device.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network_state.h"
#include "step_losses.h"
#include "whole_network_gpu.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    BUCKET_FLOATS = 1 << 20, /* 4 MiB: a GPU's links are faster than what a message costs */
    MOST_FLOATS = 1 << 27
};

struct device_sums {
    int count;
    placed_array *arrays;   /* (count), in the order of the backward pass */
    bucket_array *places;   /* (count) */
    unsigned *first_blocks; /* (count + 1), of `placed` */
    bucket *buckets;
    bucket_flow flow;
    device_list placed;
    device_list gradients; /* those that are no rolling statistics */
    float *flat;           /* on the device */
    cudaStream_t stream;   /* of the sums; it does not wait for the default one */
    cudaEvent_t event;     /* in the default stream, after the last gather */
#ifdef DLB_NCCL
    nccl_sums *nccl;
    cudaEvent_t summed; /* in the sums' stream, after the last sum */
#endif
    pinned_sums *pinned; /* NULL with NCCL */
    bool is_next;        /* the backward pass that comes is the last of the iteration */
};

static struct device_sums *sums_of(const network *net) {
    return net->ranks ? net->ranks->device_sums : NULL;
}

/* ---- what is summed ---- */

static void add_array(struct device_sums *s, const layer_array *a, int layer, bool joined) {
    bool averages = !a->updates;
    float *floats = averages ? a->values_gpu : a->updates_gpu;
    if (!floats || (averages && joined))
        return;
    s->arrays[s->count] = (placed_array){
        .floats = floats, .count = a->count, .divisor = averages ? (float)rank_count() : 1};
    s->places[s->count++] = (bucket_array){.count = a->count, .layer = layer, .copies = true};
}

static void list_arrays(struct device_sums *s, const network *net) {
    size_t most = MOST_LAYER_ARRAYS * (size_t)net->n;
    s->arrays = allocate(most, sizeof *s->arrays);
    s->places = allocate(most, sizeof *s->places);
    for (int i = net->n - 1; i >= 0; i--) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++)
            add_array(s, &arrays[k], i, net->ranks->joins_statistics);
    }
}

/* What becomes a mean has another divisor. */
static void list_gradients(struct device_sums *s) {
    float_array *gradients = allocate((size_t)s->count + 1, sizeof *gradients);
    int count = 0;
    for (int i = 0; i < s->count; i++)
        if (s->arrays[i].divisor == 1)
            gradients[count++] = (float_array){s->arrays[i].floats, s->arrays[i].count};
    s->gradients = make_device_list(gradients, sizeof *gradients, count, &gradients->count);
    free(gradients);
}

/* ---- gathering and sending ---- */

static unsigned pass_over(const struct device_sums *s, int first, int end, flat_pass *pass) {
    *pass = (flat_pass){.arrays = s->placed.arrays,
                        .first_blocks = s->placed.first_blocks,
                        .count = s->placed.count,
                        .first_block = s->first_blocks[first],
                        .flat = s->flat};
    return s->first_blocks[end] - s->first_blocks[first];
}

static void gather(void *context, int first, int end) {
    const struct device_sums *s = context;
    flat_pass pass;
    unsigned blocks = pass_over(s, first, end, &pass);
    check_error(launch_gather_arrays(&pass, blocks));
}

#ifdef DLB_NCCL
static float_array floats_of_bucket(const struct device_sums *s, int number) {
    const bucket *b = &s->buckets[number];
    return (float_array){s->flat + b->from, b->count};
}
#endif

static void send(void *context, int number) {
    struct device_sums *s = context;
    const bucket *b = &s->buckets[number];
    order_streams(0, s->event, s->stream);
#ifdef DLB_NCCL
    if (s->nccl) {
        float_array floats = floats_of_bucket(s, number);
        nccl_sums_start(s->nccl, &floats, s->stream);
        return;
    }
#endif
    pinned_sums_start(s->pinned, s->flat, b->from, b->count, s->stream);
}

/* What the default stream does from here on has the sums. By MPI the host waits for them. */
static void take_sums(struct device_sums *s) {
#ifdef DLB_NCCL
    if (s->nccl) {
        order_streams(s->stream, s->summed, 0);
        return;
    }
#endif
    pinned_sums_finish(s->pinned, s->flat);
}

/* ---- life ---- */

static void plan(struct device_sums *s) {
    size_t floats;
    int buckets;
    s->buckets = plan_buckets(s->places, s->count, BUCKET_FLOATS, MOST_FLOATS, &buckets, &floats);
    for (int i = 0; i < s->count; i++)
        s->arrays[i].at = s->places[i].at;
    s->first_blocks = allocate((size_t)s->count + 1, sizeof *s->first_blocks);
    lay_out_blocks(&s->arrays->count, sizeof *s->arrays, s->count, s->first_blocks);
    s->placed = make_device_list(s->arrays, sizeof *s->arrays, s->count, &s->arrays->count);
    list_gradients(s);
    s->flow = (bucket_flow){.carrier = {s, gather, send},
                            .arrays = s->places,
                            .array_count = s->count,
                            .buckets = s->buckets,
                            .bucket_count = buckets};
    if (floats)
        check_error(cudaMalloc((void **)&s->flat, floats * sizeof *s->flat));
}

static size_t flat_floats(const struct device_sums *s) {
    const bucket *last = s->flow.bucket_count ? &s->buckets[s->flow.bucket_count - 1] : NULL;
    return last ? last->from + last->count : 0;
}

#ifdef DLB_NCCL
/* With all that a backward pass sums. */
static void connect_ranks(const struct device_sums *s) {
    if (s->flat)
        check_error(cudaMemsetAsync(s->flat, 0, flat_floats(s) * sizeof *s->flat, s->stream));
    for (int i = 0; i < s->flow.bucket_count; i++) {
        float_array zeros = floats_of_bucket(s, i);
        nccl_sums_connect(s->nccl, &zeros, s->stream);
    }
}
#endif

static void choose_way(struct device_sums *s) {
    bool share_a_card = ranks_share_a_card();
#ifdef DLB_NCCL
    if (!share_a_card) {
        s->nccl = nccl_sums_create();
        connect_ranks(s);
        s->summed = make_device_event();
        fprintf(stderr, "The gradients of %d ranks are added up by NCCL\n", rank_count());
        return;
    }
#endif
    s->pinned = pinned_sums_create(s->flow.bucket_count, flat_floats(s));
    fprintf(stderr,
            "The gradients of %d ranks are added up through the host's memory, by MPI: %s\n",
            rank_count(),
            share_a_card ? "ranks share a card, which NCCL does not allow"
                         : "the program is built without NCCL=1");
}

void prepare_device_sums(network *net) {
    struct device_sums *s = allocate(1, sizeof *s);
    list_arrays(s, net);
    plan(s);
    check_error(cudaStreamCreateWithFlags(&s->stream, cudaStreamNonBlocking));
    s->event = make_device_event();
    check_error(load_array_kernels());
    choose_way(s);
    net->ranks->device_sums = s;
}

void free_device_sums(network *net) {
    struct device_sums *s = sums_of(net);
    if (!s)
        return;
    check_error(cudaStreamSynchronize(s->stream));
#ifdef DLB_NCCL
    if (s->nccl)
        check_error(cudaEventDestroy(s->summed));
    nccl_sums_free(s->nccl);
#endif
    pinned_sums_free(s->pinned);
    drop_device_list(&s->placed);
    drop_device_list(&s->gradients);
    check_error(cudaFree(s->flat));
    check_error(cudaEventDestroy(s->event));
    check_error(cudaStreamDestroy(s->stream));
    free(s->arrays);
    free(s->places);
    free(s->first_blocks);
    free(s->buckets);
    free(s);
    net->ranks->device_sums = NULL;
}

/* ---- an iteration ---- */

void begin_iteration_on_device(network *net) {
    const struct device_sums *s = sums_of(net);
    if (!s)
        return;
    begin_recipe_step(net);   /* notes momentum as it is, */
    list_parameters_gpu(net); /* as does this, whose copies would wait for the sums later */
    const device_list *list = &s->gradients;
    clear_pass pass = {list->arrays, list->first_blocks, list->count};
    if (rank_number() > 0 && list->blocks)
        check_error(launch_clear_arrays(&pass, list->blocks));
}

void sum_next_on_device(network *net) {
    struct device_sums *s = sums_of(net);
    if (!s)
        return;
    s->is_next = true;
    s->flow.gathered = s->flow.sent = 0;
}

/* The sums that the pass is to begin; NULL: none. What is captured (step_graph.h) comes without
 * them: they begin after its launch. */
static struct device_sums *sums_to_begin(const network *net) {
    struct device_sums *s = sums_of(net);
    return s && s->is_next && !is_captured() ? s : NULL;
}

void device_gradients_are_ready(network *net, int index) {
    struct device_sums *s = sums_to_begin(net);
    if (!s)
        return;
    advance_bucket_flow(&s->flow, index);
    if (s->pinned)
        pinned_sums_advance(s->pinned);
}

void finish_device_sums(network *net) {
    struct device_sums *s = sums_to_begin(net);
    flat_pass pass;
    if (!s)
        return;
    device_gradients_are_ready(net, 0); /* of layers that the backward pass has left out, too */
    take_sums(s);
    unsigned blocks = pass_over(s, 0, s->count, &pass);
    if (blocks)
        check_error(launch_scatter_arrays(&pass, blocks));
    s->is_next = false;
    if (!losses_are_deferred(net)) /* the host waits for each step anyway */
        await_device_sums(net);
}

void await_device_sums(const network *net) {
#ifdef DLB_NCCL
    const struct device_sums *s = sums_of(net);
    if (!s || !s->nccl)
        return;
    check_error(cudaEventSynchronize(s->event)); /* this rank's own part may take any time */
    nccl_sums_wait(s->nccl, s->summed);
#else
    (void)net;
#endif
}
#endif
