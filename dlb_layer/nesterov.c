#include "nesterov.h"

#include "fail.h"
#include "layer_arrays.h"

#include <stdlib.h>
#include <string.h>

enum { WORTH_THREADS = 1 << 15 };

/* One array of a layer's parameters. */
typedef struct {
    layer_array array;
    float *before; /* (count), its `updates` one iteration ago; owned */
    int layer;
} parameters;

struct nesterov {
    int count;
    parameters *arrays;
};

int find_layer_without_nesterov(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (has_unknown_arrays(&net->layers[i]))
            return i;
    return -1;
}

static void add_layer(nesterov *n, const layer *l, int index) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(l, arrays);
    for (int i = 0; i < count && l->update; i++) {
        if (!arrays[i].updates)
            continue;
        parameters *p = &n->arrays[n->count++];
        p->array = arrays[i];
        p->layer = index;
        p->before = allocate(arrays[i].count, sizeof *p->before);
        memcpy(p->before, arrays[i].updates, arrays[i].count * sizeof *p->before);
    }
}

nesterov *nesterov_create(const network *net) {
    nesterov *n = allocate(1, sizeof *n);
    n->arrays = allocate(MOST_LAYER_ARRAYS * (size_t)net->n, sizeof *n->arrays);
    for (int i = 0; i < net->n; i++)
        add_layer(n, &net->layers[i], i);
    return n;
}

void nesterov_free(nesterov *n) {
    if (!n)
        return;
    for (int i = 0; i < n->count; i++)
        free(n->arrays[i].before);
    free(n->arrays);
    free(n);
}

static void look_ahead(const parameters *p, float rate) {
    float *values = p->array.values, *before = p->before;
    const float *updates = p->array.updates;
    size_t count = p->array.count;
#pragma omp parallel for simd schedule(static) if (count > WORTH_THREADS)
    for (size_t i = 0; i < count; i++) {
        values[i] += rate * (updates[i] - before[i]);
        before[i] = updates[i];
    }
}

void nesterov_step(nesterov *n, const network *net, update_args a) {
    for (int i = 0; i < n->count; i++) {
        const parameters *p = &n->arrays[i];
        float scale = net->layers[p->layer].learning_rate_scale;
        look_ahead(p, a.learning_rate * scale / (float)a.batch);
    }
}
