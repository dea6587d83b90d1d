#include "nesterov.h"

#include "fail.h"
#include "gpu_status.h"
#include "layer_arrays.h"
#include "nesterov_kernels.h"
#include "nesterov_step.h"
#include "network_device.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WORTH_THREADS = 1 << 15 };

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

int find_layer_without_nesterov(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (has_unknown_arrays(&net->layers[i]))
            return i;
    return -1;
}

/* `updates` as they are now. */
static float *noted(const float *updates, size_t count, bool on_gpu) {
    size_t bytes = count * sizeof *updates;
#ifdef GPU
    if (on_gpu) {
        float *before;
        check_error(cudaMalloc((void **)&before, bytes));
        check_error(cudaMemcpy(before, updates, bytes, cudaMemcpyDeviceToDevice));
        return before;
    }
#endif
    (void)on_gpu;
    return memcpy(allocate(count, sizeof *updates), updates, bytes);
}

static void add_array(nesterov *n, const layer_array *a, int layer) {
    parameters p = {.values = n->on_gpu ? a->values_gpu : a->values,
                    .updates = n->on_gpu ? a->updates_gpu : a->updates,
                    .count = a->count,
                    .layer = layer};
    if (!p.values || !p.updates)
        return;
    p.before = noted(p.updates, p.count, n->on_gpu);
    n->arrays[n->count++] = p;
}

/* The arrays that the layer's update moves. */
static void add_layer(nesterov *n, const layer *l, int index) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = l->update ? list_layer_arrays(l, arrays) : 0;
    for (int i = 0; i < count; i++)
        add_array(n, &arrays[i], index);
}

nesterov *nesterov_create(const network *net) {
    nesterov *n = allocate(1, sizeof *n);
    n->on_gpu = is_on_gpu(net);
    n->arrays = allocate(MOST_LAYER_ARRAYS * (size_t)net->n, sizeof *n->arrays);
    for (int i = 0; i < net->n; i++)
        add_layer(n, &net->layers[i], i);
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

float *nesterov_before(const nesterov *n, const float *values) {
    for (int i = 0; i < n->count; i++)
        if (n->arrays[i].values == values)
            return n->arrays[i].before;
    return NULL;
}

static void look_ahead(const parameters *p, float rate) {
    float *values = p->values, *before = p->before;
    const float *updates = p->updates;
    size_t count = p->count;
#pragma omp parallel for simd schedule(static) if (count > WORTH_THREADS)
    for (size_t i = 0; i < count; i++)
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
