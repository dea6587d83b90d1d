#include "network_arrays.h"

#include "layer_arrays.h"
#include "network_device.h"
#include "recipe.h"

#include <string.h>

/* As the host updates it by these rules: weights decay, biases and scales do not, and clip= is of
 * the weights of [convolutional] alone. */
bool is_updated_by_list(const layer *l) {
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
    case CONNECTED:
    case LOCAL:
    case BATCHNORM:
        return true;
    default:
        return false;
    }
}

static int list_layer(const network *net, int index, int decay_all, updated_array *arrays) {
    const layer *l = &net->layers[index];
    layer_array all[MOST_LAYER_ARRAYS];
    int all_count = list_layer_arrays(l, all), count = 0;
    for (int i = 0; i < all_count; i++) {
        bool on_gpu = is_on_gpu(net), is_weights = !strcmp(all[i].name, "weights");
        updated_array a = {.values = on_gpu ? all[i].values_gpu : all[i].values,
                           .updates = on_gpu ? all[i].updates_gpu : all[i].updates,
                           .count = all[i].count,
                           .rate_scale = l->learning_rate_scale,
                           .clip = is_weights && l->type == CONVOLUTIONAL ? l->clip : 0,
                           .decays = is_weights || decay_all,
                           .layer = index};
        if (!a.values || !a.updates)
            continue;
        a.before = recipe_before(net, a.values);
        arrays[count++] = a;
    }
    return count;
}

int list_updated_arrays(const network *net, int decay_all, updated_array *arrays) {
    int count = 0;
    if (net->adam)
        return -1;
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        if (!l->update)
            continue;
        if (!is_updated_by_list(l))
            return -1;
        count += list_layer(net, i, decay_all, arrays + count);
    }
    return count;
}

static float *delta_of(const layer *l, bool on_gpu) {
#ifdef GPU
    if (on_gpu)
        return l->delta_gpu;
#endif
    (void)on_gpu;
    return l->delta;
}

int list_deltas(const network *net, float_array *arrays) {
    int count = 0;
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        float_array a = {delta_of(l, is_on_gpu(net)), (size_t)l->batch * (size_t)l->outputs};
        if (a.floats && a.count)
            arrays[count++] = a;
    }
    return count;
}
