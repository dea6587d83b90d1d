#include "gradient_sums.h"

#include "fail.h"
#include "gradient_buckets.h"
#include "gradient_sums_gpu.h"
#include "layer_arrays.h"
#include "network.h"
#include "network_device.h"
#include "pairwise_sum.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network.h"
#include "shared_network_state.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKET_FLOATS = 1 << 18, /* 1 MiB: a message's latency is small beside the time that it takes */
    MOST_FLOATS = 1 << 27
};

typedef struct {
    float *values;
    size_t at;     /* among the floats of all arrays */
    bool averages; /* a rolling statistic */
} summed_array;

struct gradient_sums {
    int shards, own;
    bool in_order; /* sums do not depend on the number of ranks */
    int array_count;
    size_t floats;        /* of all arrays */
    size_t statistics;    /* those of rolling statistics */
    summed_array *arrays; /* (array_count), in the order of the backward pass */
    bucket_array *places; /* (array_count) */
    pairwise_sum *pairs;  /* of the own shards; NULL: there is one */
    float *start; /* (statistics), the rolling ones when the iteration begins; NULL likewise */
    float *flat;
    int bucket_count;
    bucket *buckets; /* (bucket_count); none on one rank */
    rank_sum **sums; /* (bucket_count), NULL: not begun */
    bool is_next;    /* the backward pass that comes is the last of a shard */
    int added, sent; /* how many arrays and buckets of it are */
};

static struct gradient_sums *sums_of(const network *net) {
    return net->ranks ? net->ranks->sums : NULL;
}

/* ---- life ---- */

static void add_array(struct gradient_sums *s, const layer_array *a, int layer, bool joined) {
    bool averages = !a->updates;
    if (averages && joined)
        return;
    s->arrays[s->array_count] =
        (summed_array){averages ? a->values : a->updates, s->floats, averages};
    s->places[s->array_count++] = (bucket_array){a->count, layer, averages, IN_PLACE};
    s->floats += a->count;
    s->statistics += averages ? a->count : 0;
}

static void add_layer(struct gradient_sums *s, const layer *l, int index, bool joined) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(l, arrays);
    for (int i = 0; i < count; i++)
        add_array(s, &arrays[i], index, joined);
}

static void plan_messages(struct gradient_sums *s) {
    size_t floats;
    if (rank_count() == 1)
        return;
    s->buckets = plan_buckets(s->places, s->array_count, BUCKET_FLOATS, MOST_FLOATS,
                              &s->bucket_count, &floats);
    s->flat = allocate(floats, sizeof *s->flat);
    s->sums = allocate((size_t)s->bucket_count,
                       sizeof *s->sums); // NOLINT(bugprone-sizeof-expression): of pointers
}

static void prepare_own_shards(struct gradient_sums *s) {
    if (s->own == 1)
        return;
    s->pairs = pairwise_sum_create(s->own, s->floats);
    s->start = allocate(s->statistics, sizeof *s->start);
}

void prepare_gradient_sums(network *net) {
    size_t most = MOST_LAYER_ARRAYS * (size_t)net->n;
    if (!net->ranks)
        return;
    if (is_on_gpu(net)) {
        prepare_device_sums(net);
        return;
    }
    struct gradient_sums *s = allocate(1, sizeof *s);
    s->shards = net->ranks->share.shards;
    s->own = net->ranks->share.own;
    s->in_order = net->ranks->in_order;
    s->arrays = allocate(most, sizeof *s->arrays);
    s->places = allocate(most, sizeof *s->places);
    for (int i = net->n - 1; i >= 0; i--)
        add_layer(s, &net->layers[i], i, net->ranks->joins_statistics);
    plan_messages(s);
    prepare_own_shards(s);
    net->ranks->sums = s;
}

void free_gradient_sums(network *net) {
    struct gradient_sums *s = sums_of(net);
    free_device_sums(net);
    if (!s)
        return;
    pairwise_sum_free(s->pairs);
    free(s->start);
    free(s->arrays);
    free(s->places);
    free(s->flat);
    free(s->buckets);
    free(s->sums);
    free(s);
    net->ranks->sums = NULL;
}

const bucket *gradient_messages(const network *net, int *count) {
    const struct gradient_sums *s = sums_of(net);
    *count = s ? s->bucket_count : 0;
    return s ? s->buckets : NULL;
}

/* ---- an iteration ---- */

static void clear_gradients(struct gradient_sums *s) {
    for (int i = 0; i < s->array_count; i++)
        if (!s->arrays[i].averages)
            memset(s->arrays[i].values, 0, s->places[i].count * sizeof(float));
}

/* Notes the rolling statistics, or puts them back. */
static void keep_statistics(struct gradient_sums *s, bool puts_back) {
    float *kept = s->start;
    for (int i = 0; i < s->array_count; i++) {
        float *values = s->arrays[i].values;
        size_t count = s->places[i].count;
        if (!s->arrays[i].averages)
            continue;
        memcpy(puts_back ? values : kept, puts_back ? kept : values, count * sizeof *kept);
        kept += count;
    }
}

void begin_iteration_of_ranks(network *net) {
    struct gradient_sums *s = sums_of(net);
    begin_iteration_on_device(net);
    if (!s)
        return;
    begin_recipe_step(net); /* notes momentum as it is */
    if (rank_number() > 0)
        clear_gradients(s);
    if (s->start)
        keep_statistics(s, false);
}

void sum_gradients_next(network *net) {
    struct gradient_sums *s = sums_of(net);
    sum_next_on_device(net);
    if (!s)
        return;
    s->is_next = true;
    s->added = s->sent = 0;
}

/* The layers' arrays to those of the shards before. */
static void add_layers_from(struct gradient_sums *s, int shard, int index) {
    for (; s->added < s->array_count && s->places[s->added].layer >= index; s->added++) {
        const bucket_array *place = &s->places[s->added];
        const summed_array *a = &s->arrays[s->added];
        if (s->pairs)
            pairwise_sum_add(s->pairs, shard, a->at, a->values, place->count);
        if (place->at != IN_PLACE && shard == s->own - 1)
            memcpy(s->flat + place->at, a->values, place->count * sizeof *s->flat);
    }
}

static void send_layers_from(struct gradient_sums *s, int index) {
    for (; s->sent < s->bucket_count && s->buckets[s->sent].layer >= index; s->sent++) {
        const bucket *b = &s->buckets[s->sent];
        float *values = b->array < 0 ? s->flat : s->arrays[b->array].values;
        s->sums[s->sent] = rank_sum_start(values + b->from, b->count, s->in_order);
    }
}

void gradients_are_ready(network *net, int index) {
    struct gradient_sums *s = sums_of(net);
    device_gradients_are_ready(net, index);
    if (!s || !s->is_next || !is_last_shard(net))
        return;
    add_layers_from(s, net->ranks->shard, index);
    send_layers_from(s, index);
    for (int i = 0; i < s->sent; i++)
        rank_sum_test(s->sums[i]);
}

/* The next shard begins as this one did, but without momentum. */
static void finish_shard(struct gradient_sums *s, int shard) {
    add_layers_from(s, shard, 0);
    clear_gradients(s);
    keep_statistics(s, true);
}

static void finish_array(const struct gradient_sums *s, int array) {
    const bucket_array *place = &s->places[array];
    float *values = s->arrays[array].values;
    if (place->at != IN_PLACE)
        memcpy(values, s->flat + place->at, place->count * sizeof *values);
    for (size_t i = 0; i < place->count && s->arrays[array].averages; i++)
        values[i] /= (float)s->shards;
}

void finish_gradient_sums(network *net) {
    struct gradient_sums *s = sums_of(net);
    finish_device_sums(net);
    if (!s || !s->is_next)
        return;
    s->is_next = false;
    if (!is_last_shard(net)) {
        finish_shard(s, net->ranks->shard);
        return;
    }
    add_layers_from(s, net->ranks->shard,
                    0); /* of layers that the backward pass has left out, too */
    send_layers_from(s, 0);
    rank_sums_wait(s->sums, s->bucket_count);
    for (int i = 0; i < s->array_count; i++)
        finish_array(s, i);
}

void await_gradient_sums(const network *net) {
    await_device_sums(net);
}
