#include "nesterov.h"

#include "fail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARRAYS = 3, WORTH_THREADS = 1 << 15 };

/* One array of a layer's parameters. */
typedef struct {
    float *values;        /* (count) */
    const float *updates; /* (count), the host's */
    float *before;        /* (count), `updates` one iteration ago; owned */
    size_t count;
    int layer;
} parameters;

struct nesterov {
    int count;
    parameters *arrays;
};

/* ---- which they are ---- */

static size_t weights_of(const layer *l) {
    size_t kernel = (size_t)l->size * (size_t)l->size * (size_t)l->c * (size_t)l->n;
    switch (l->type) {
    case CONVOLUTIONAL:
        return (size_t)l->nweights;
    case CONNECTED:
        return (size_t)l->inputs * (size_t)l->outputs;
    case DECONVOLUTIONAL:
        return kernel;
    case LOCAL:
        return kernel * (size_t)l->out_w * (size_t)l->out_h;
    default:
        return 0;
    }
}

static size_t biases_of(const layer *l) {
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        return (size_t)l->n;
    case CONNECTED:
    case LOCAL:
        return (size_t)l->outputs;
    case BATCHNORM:
        return (size_t)l->out_c;
    default:
        return 0;
    }
}

/* The arrays that the layer's update moves; returns their number, 0 for a layer without any. */
static int list_parameters(const layer *l, int index, parameters *arrays) {
    const parameters all[MOST_ARRAYS] = {
        {l->weights, l->weight_updates, NULL, weights_of(l), index},
        {l->biases, l->bias_updates, NULL, biases_of(l), index},
        {l->scales, l->scale_updates, NULL, biases_of(l), index}};
    int count = 0;
    for (int i = 0; i < MOST_ARRAYS && l->update; i++)
        if (all[i].values && all[i].updates && all[i].count)
            arrays[count++] = all[i];
    return count;
}

int find_layer_without_nesterov(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (net->layers[i].update && biases_of(&net->layers[i]) == 0)
            return i;
    return -1;
}

/* ---- the step ---- */

nesterov *nesterov_create(const network *net) {
    nesterov *n = allocate(1, sizeof *n);
    n->arrays = allocate(MOST_ARRAYS * (size_t)net->n, sizeof *n->arrays);
    for (int i = 0; i < net->n; i++)
        n->count += list_parameters(&net->layers[i], i, n->arrays + n->count);
    for (int i = 0; i < n->count; i++) {
        parameters *p = &n->arrays[i];
        p->before = allocate(p->count, sizeof *p->before);
        memcpy(p->before, p->updates, p->count * sizeof *p->before);
    }
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
    float *values = p->values, *before = p->before;
    const float *updates = p->updates;
#pragma omp parallel for simd schedule(static) if (p->count > WORTH_THREADS)
    for (size_t i = 0; i < p->count; i++) {
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
