#include "layer_arrays.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

/* ---- recurrent layers ---- */

typedef struct {
    const char *name;
    const layer *part;
} named_part;

static int copy_parts(const named_part *all, int count, const layer **parts, const char **names) {
    for (int i = 0; i < count; i++) {
        parts[i] = all[i].part;
        names[i] = all[i].name;
    }
    return count;
}

int list_layer_parts(const layer *l, const layer **parts, const char **names) {
    const named_part simple[] = {
        {"input", l->input_layer}, {"self", l->self_layer}, {"output", l->output_layer}};
    const named_part lstm[] = {{"wi", l->wi}, {"wf", l->wf}, {"wo", l->wo}, {"wg", l->wg},
                               {"ui", l->ui}, {"uf", l->uf}, {"uo", l->uo}, {"ug", l->ug}};
    const named_part gru[] = {{"wz", l->wz}, {"wr", l->wr}, {"wh", l->wh},
                              {"uz", l->uz}, {"ur", l->ur}, {"uh", l->uh}};
    switch (l->type) {
    case RNN:
    case CRNN:
        return copy_parts(simple, 3, parts, names);
    case LSTM:
        return copy_parts(lstm, 8, parts, names);
    case GRU:
        return copy_parts(gru, 6, parts, names);
    default:
        return 0;
    }
}

/* ---- plain layers ---- */

typedef struct {
    size_t weights;
    size_t biases; /* and scales and statistics, where it has them */
} array_sizes;

static array_sizes sizes_of(const layer *l) {
    size_t kernel = (size_t)l->size * (size_t)l->size * (size_t)l->c * (size_t)l->n;
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        return (array_sizes){(size_t)l->nweights, (size_t)l->n};
    case CONNECTED:
        return (array_sizes){(size_t)l->inputs * (size_t)l->outputs, (size_t)l->outputs};
    case LOCAL:
        return (array_sizes){kernel * (size_t)l->out_w * (size_t)l->out_h, (size_t)l->outputs};
    case BATCHNORM:
        return (array_sizes){0, (size_t)l->c};
    default:
        return (array_sizes){0, 0};
    }
}

bool has_unknown_arrays(const layer *l) {
    return l->update && sizes_of(l).biases == 0;
}

/* Of weights, biases, scales and, without updates, the rolling statistics. */
static void add_gpu_arrays(const layer *l, layer_array *arrays) {
#ifdef GPU
    if (gpu_index < 0)
        return;
    float *values[] = {l->weights_gpu, l->biases_gpu, l->scales_gpu};
    float *updates[] = {l->weight_updates_gpu, l->bias_updates_gpu, l->scale_updates_gpu};
    float *means[] = {l->m_gpu, l->bias_m_gpu, l->scale_m_gpu};
    float *squares[] = {l->v_gpu, l->bias_v_gpu, l->scale_v_gpu};
    for (int i = 0; i < 3; i++) {
        arrays[i].values_gpu = values[i];
        arrays[i].updates_gpu = updates[i];
        arrays[i].adam_mean = means[i];
        arrays[i].adam_square = squares[i];
    }
    arrays[3].values_gpu = l->rolling_mean_gpu;
    arrays[4].values_gpu = l->rolling_variance_gpu;
#else
    (void)l;
    (void)arrays;
#endif
}

static int list_plain(const layer *l, const char *part, layer_array *arrays) {
    array_sizes sizes = sizes_of(l);
    layer_array all[] = {
        {"weights", part, l->weights, l->weight_updates, sizes.weights},
        {"biases", part, l->biases, l->bias_updates, sizes.biases},
        {"scales", part, l->scales, l->scale_updates, sizes.biases},
        {"rolling means", part, l->rolling_mean, NULL, sizes.biases},
        {"rolling variances", part, l->rolling_variance, NULL, sizes.biases},
    };
    int count = 0;
    add_gpu_arrays(l, all);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].values && all[i].count)
            arrays[count++] = all[i];
    return count;
}

int list_layer_arrays(const layer *l, layer_array *arrays) {
    const layer *parts[MOST_LAYER_PARTS];
    const char *names[MOST_LAYER_PARTS];
    int count = 0, part_count = list_layer_parts(l, parts, names);
    if (!part_count)
        return list_plain(l, NULL, arrays);
    for (int i = 0; i < part_count; i++)
        count += list_plain(parts[i], names[i], arrays + count);
    return count;
}

void push_layer_array(const layer_array *array) {
#ifdef GPU
    if (array->values_gpu)
        cuda_push_array(array->values_gpu, array->values, array->count);
#else
    (void)array;
#endif
}

void copy_layer_array(const layer_array *from, const layer_array *to) {
    memcpy(to->values, from->values, from->count * sizeof(float));
}

char *describe_layer_array(const layer_array *array, int is_gradient) {
    const char *of_part = array->part ? " of its part " : "";
    return format_string("%s%s%s%s", is_gradient ? "gradient of the " : "", array->name, of_part,
                         array->part ? array->part : "");
}
