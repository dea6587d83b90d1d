#include "gradient_sums.h"

#include "fail.h"
#include "gradient_buckets.h"
#include "gradient_sums_gpu.h"
#include "layer_arrays.h"
#include "network.h"
#include "network_device.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network_state.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKET_FLOATS = 1 << 18, /* 1 MiB: a message's latency is small beside the time that it takes */
    MOST_FLOATS = 1 << 27
};

typedef struct {
    float *values;
    bool averages; /* a rolling statistic */
} summed_array;

struct gradient_sums {
    int ranks;
    int array_count;
    summed_array *arrays; /* (array_count), in the order of the backward pass */
    bucket_array *places; /* (array_count) */
    float *flat;
    int bucket_count;
    bucket *buckets;  /* (bucket_count) */
    rank_sum **sums;  /* (bucket_count), NULL: not begun */
    bool is_next;     /* the backward pass that comes is the last of the iteration */
    int copied, sent; /* how many arrays and buckets of it are */
};

/* ---- life ---- */

static void add_array(struct gradient_sums *s, const layer_array *a, int layer, bool joined) {
    bool averages = !a->updates;
    if (averages && joined)
        return;
    s->arrays[s->array_count] = (summed_array){averages ? a->values : a->updates, averages};
    s->places[s->array_count++] = (bucket_array){a->count, layer, averages, 0};
}

static void add_layer(struct gradient_sums *s, const layer *l, int index, bool joined) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(l, arrays);
    for (int i = 0; i < count; i++)
        add_array(s, &arrays[i], index, joined);
}

static void check_layers(const network *net, const char *cfg_file) {
    for (int i = net->n - 1; i >= 0; i--)
        if (has_unknown_arrays(&net->layers[i]))
            fail("%s: %d ranks cannot train layer %d, a [%s], whose parameters are not known",
                 cfg_file, net->ranks->share.ranks, i, get_layer_string(net->layers[i].type));
}

void prepare_gradient_sums(network *net, const char *cfg_file) {
    size_t floats, most = MOST_LAYER_ARRAYS * (size_t)net->n;
    if (!net->ranks)
        return;
    check_layers(net, cfg_file);
    if (is_on_gpu(net)) {
        prepare_device_sums(net);
        return;
    }
    struct gradient_sums *s = allocate(1, sizeof *s);
    s->ranks = net->ranks->share.ranks;
    s->arrays = allocate(most, sizeof *s->arrays);
    s->places = allocate(most, sizeof *s->places);
    for (int i = net->n - 1; i >= 0; i--)
        add_layer(s, &net->layers[i], i, net->ranks->joins_statistics);
    s->buckets = plan_buckets(s->places, s->array_count, BUCKET_FLOATS, MOST_FLOATS,
                              &s->bucket_count, &floats);
    s->flat = allocate(floats, sizeof *s->flat);
    s->sums = allocate((size_t)s->bucket_count,
                       sizeof *s->sums); // NOLINT(bugprone-sizeof-expression): of pointers
    net->ranks->sums = s;
}

void free_gradient_sums(network *net) {
    struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    free_device_sums(net);
    if (!s)
        return;
    free(s->arrays);
    free(s->places);
    free(s->flat);
    free(s->buckets);
    free(s->sums);
    free(s);
    net->ranks->sums = NULL;
}

const bucket *gradient_messages(const network *net, int *count) {
    const struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    *count = s ? s->bucket_count : 0;
    return s ? s->buckets : NULL;
}

/* ---- an iteration ---- */

void begin_iteration_of_ranks(network *net) {
    struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    begin_iteration_on_device(net);
    if (!s)
        return;
    begin_recipe_step(net); /* notes momentum as it is */
    for (int i = 0; i < s->array_count && rank_number() > 0; i++)
        if (!s->arrays[i].averages)
            memset(s->arrays[i].values, 0, s->places[i].count * sizeof(float));
}

void sum_gradients_next(network *net) {
    struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    sum_next_on_device(net);
    if (!s)
        return;
    s->is_next = true;
    s->copied = s->sent = 0;
}

static void copy_layers_from(struct gradient_sums *s, int index) {
    for (; s->copied < s->array_count && s->places[s->copied].layer >= index; s->copied++) {
        const bucket_array *place = &s->places[s->copied];
        if (place->at != IN_PLACE)
            memcpy(s->flat + place->at, s->arrays[s->copied].values,
                   place->count * sizeof *s->flat);
    }
}

static void send_layers_from(struct gradient_sums *s, int index) {
    for (; s->sent < s->bucket_count && s->buckets[s->sent].layer >= index; s->sent++) {
        const bucket *b = &s->buckets[s->sent];
        float *values = b->array < 0 ? s->flat : s->arrays[b->array].values;
        s->sums[s->sent] = rank_sum_start(values + b->from, b->count);
    }
}

void gradients_are_ready(network *net, int index) {
    struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    device_gradients_are_ready(net, index);
    if (!s || !s->is_next)
        return;
    copy_layers_from(s, index);
    send_layers_from(s, index);
    for (int i = 0; i < s->sent; i++)
        rank_sum_test(s->sums[i]);
}

static void copy_back(const struct gradient_sums *s, int array) {
    const bucket_array *place = &s->places[array];
    float *values = s->arrays[array].values;
    if (place->at == IN_PLACE)
        return;
    memcpy(values, s->flat + place->at, place->count * sizeof *values);
    for (size_t i = 0; i < place->count && s->arrays[array].averages; i++)
        values[i] /= (float)s->ranks;
}

void finish_gradient_sums(network *net) {
    struct gradient_sums *s = net->ranks ? net->ranks->sums : NULL;
    finish_device_sums(net);
    if (!s || !s->is_next)
        return;
    gradients_are_ready(net, 0); /* of layers that the backward pass has left out, too */
    for (int i = 0; i < s->bucket_count; i++)
        rank_sum_wait(s->sums[i]);
    for (int i = 0; i < s->array_count; i++)
        copy_back(s, i);
    s->is_next = false;
}
