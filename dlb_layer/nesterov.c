#include "nesterov.h"

#include "fail.h"
#include "gpu_status.h"
#include "nesterov_kernels.h"
#include "nesterov_step.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARRAYS = 3, WORTH_THREADS = 1 << 15 };

/* One array of a layer's parameters, on the GPU where the network is. */
typedef struct {
    float *values;        /* (count) */
    const float *updates; /* (count), the host's */
    float *before;        /* (count), `updates` one iteration ago; owned */
    size_t count;
    int layer;
} parameters;

struct nesterov {
    bool on_gpu;
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

/* Values and updates of weights, biases and scales. */
typedef struct {
    float *values[MOST_ARRAYS];
    const float *updates[MOST_ARRAYS];
} layer_arrays;

static layer_arrays arrays_of(const layer *l, bool on_gpu) {
#ifdef GPU
    if (on_gpu)
        return (layer_arrays){{l->weights_gpu, l->biases_gpu, l->scales_gpu},
                              {l->weight_updates_gpu, l->bias_updates_gpu, l->scale_updates_gpu}};
#endif
    (void)on_gpu;
    return (layer_arrays){{l->weights, l->biases, l->scales},
                          {l->weight_updates, l->bias_updates, l->scale_updates}};
}

/* The arrays that the layer's update moves; returns their number, 0 for a layer without any. */
static int list_parameters(const layer *l, int index, bool on_gpu, parameters *arrays) {
    const size_t counts[MOST_ARRAYS] = {weights_of(l), biases_of(l), biases_of(l)};
    layer_arrays all = arrays_of(l, on_gpu);
    int count = 0;
    for (int i = 0; i < MOST_ARRAYS && l->update; i++)
        if (all.values[i] && all.updates[i] && counts[i])
            arrays[count++] = (parameters){all.values[i], all.updates[i], NULL, counts[i], index};
    return count;
}

int find_layer_without_nesterov(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (net->layers[i].update && biases_of(&net->layers[i]) == 0)
            return i;
    return -1;
}

/* ---- the step ---- */

/* `updates` as they are now. */
static float *noted(const parameters *p, bool on_gpu) {
    size_t bytes = p->count * sizeof *p->before;
#ifdef GPU
    if (on_gpu) {
        float *before;
        check_error(cudaMalloc((void **)&before, bytes));
        check_error(cudaMemcpy(before, p->updates, bytes, cudaMemcpyDeviceToDevice));
        return before;
    }
#endif
    (void)on_gpu;
    return memcpy(allocate(p->count, sizeof *p->before), p->updates, bytes);
}

nesterov *nesterov_create(const network *net) {
    nesterov *n = allocate(1, sizeof *n);
    n->on_gpu = net->gpu_index >= 0;
    n->arrays = allocate(MOST_ARRAYS * (size_t)net->n, sizeof *n->arrays);
    for (int i = 0; i < net->n; i++)
        n->count += list_parameters(&net->layers[i], i, n->on_gpu, n->arrays + n->count);
    for (int i = 0; i < n->count; i++)
        n->arrays[i].before = noted(&n->arrays[i], n->on_gpu);
    return n;
}

static void forget(float *before, bool on_gpu) {
#ifdef GPU
    if (on_gpu) {
        check_error(cudaFree(before));
        return;
    }
#endif
    (void)on_gpu;
    free(before);
}

void nesterov_free(nesterov *n) {
    if (!n)
        return;
    for (int i = 0; i < n->count; i++)
        forget(n->arrays[i].before, n->on_gpu);
    free(n->arrays);
    free(n);
}

static void look_ahead(const parameters *p, float rate) {
    float *values = p->values, *before = p->before;
    const float *updates = p->updates;
#pragma omp parallel for simd schedule(static) if (p->count > WORTH_THREADS)
    for (size_t i = 0; i < p->count; i++)
        look_ahead_of(values + i, before + i, updates[i], rate);
}

static void take_step(const parameters *p, float rate, bool on_gpu) {
#ifdef GPU
    if (on_gpu) {
        check_error(launch_look_ahead(p->values, p->before, p->updates, p->count, rate));
        return;
    }
#endif
    (void)on_gpu;
    look_ahead(p, rate);
}

void nesterov_step(nesterov *n, const network *net, update_args a) {
    for (int i = 0; i < n->count; i++) {
        const parameters *p = &n->arrays[i];
        float scale = net->layers[p->layer].learning_rate_scale;
        take_step(p, a.learning_rate * scale / (float)a.batch, n->on_gpu);
    }
}
