#include "layer_arrays.h"

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

/* With a GPU the host sets update_gpu as well as update. */
bool has_unknown_arrays(const layer *l) {
    return l->update && biases_of(l) == 0;
}

static void add_gpu_arrays(const layer *l, layer_array all[MOST_LAYER_ARRAYS]) {
#ifdef GPU
    if (gpu_index < 0)
        return;
    float *updates[] = {l->weight_updates_gpu, l->bias_updates_gpu, l->scale_updates_gpu};
    float *means[] = {l->m_gpu, l->bias_m_gpu, l->scale_m_gpu};
    float *squares[] = {l->v_gpu, l->bias_v_gpu, l->scale_v_gpu};
    for (int i = 0; i < MOST_LAYER_ARRAYS; i++) {
        all[i].updates_gpu = updates[i];
        all[i].mean = means[i];
        all[i].square = squares[i];
    }
#else
    (void)l;
    (void)all;
#endif
}

int list_layer_arrays(const layer *l, layer_array arrays[MOST_LAYER_ARRAYS]) {
    layer_array all[MOST_LAYER_ARRAYS] = {{l->weights, l->weight_updates, weights_of(l)},
                                          {l->biases, l->bias_updates, biases_of(l)},
                                          {l->scales, l->scale_updates, biases_of(l)}};
    int count = 0;
    add_gpu_arrays(l, all);
    for (int i = 0; i < MOST_LAYER_ARRAYS && l->update; i++)
        if (all[i].values && all[i].updates && all[i].count)
            arrays[count++] = all[i];
    return count;
}
