#include "layer_size.h"

#include "network.h"

#include <stddef.h>

/* One bias a channel and, with batch normalization, one scale, mean and variance. */
static layer_size with_channels(const layer *l, int channels) {
    layer_size size = {.biases = (uint64_t)channels};
    if (l->batch_normalize) {
        size.scales = (uint64_t)channels;
        size.rolling = 2 * (uint64_t)channels;
    }
    return size;
}

/* Every weight meets every place of the output once. */
static layer_size size_of_convolution(const layer *l) {
    layer_size size = with_channels(l, l->n);
    size.biases = (uint64_t)l->nbiases;   /* 0 with bias=0 */
    size.weights = (uint64_t)l->nweights; /* (n, c/groups, size, size) */
    size.multiply_adds = size.weights * (uint64_t)l->out_w * (uint64_t)l->out_h;
    return size;
}

/* Every weight meets every place of the input once. */
static layer_size size_of_deconvolution(const layer *l) {
    layer_size size = with_channels(l, l->n);
    size.weights = (uint64_t)l->nweights;
    size.multiply_adds = size.weights * (uint64_t)l->w * (uint64_t)l->h;
    return size;
}

static layer_size size_of_connected(const layer *l) {
    layer_size size = with_channels(l, l->outputs);
    size.weights = (uint64_t)l->inputs * (uint64_t)l->outputs;
    size.multiply_adds = size.weights;
    return size;
}

/* A convolution with weights of its own for each place of the output. */
static layer_size size_of_local(const layer *l) {
    layer_size size = with_channels(l, l->outputs);
    size.weights = (uint64_t)l->outputs * (uint64_t)l->c * (uint64_t)l->size * (uint64_t)l->size;
    size.multiply_adds = size.weights;
    return size;
}

static layer_size size_of_batchnorm(const layer *l) {
    uint64_t channels = (uint64_t)l->c;
    return (layer_size){.biases = channels, .scales = channels, .rolling = 2 * channels};
}

/* A recurrent layer is made of layers, each of which runs once a step. */
static layer_size size_of_parts(const layer *const parts[], size_t count) {
    layer_size sum = {0};
    for (size_t i = 0; i < count; i++) {
        layer_size size = size_of_layer(parts[i]);
        add_layer_size(&sum, &size);
    }
    return sum;
}

#define SIZE_OF_PARTS(...)                                                                         \
    size_of_parts((const layer *const[]){__VA_ARGS__},                                             \
                  sizeof((const layer *const[]){__VA_ARGS__}) / sizeof(const layer *))

layer_size size_of_layer(const layer *l) {
    switch (l->type) {
    case CONVOLUTIONAL:
        return size_of_convolution(l);
    case DECONVOLUTIONAL:
        return size_of_deconvolution(l);
    case CONNECTED:
        return size_of_connected(l);
    case LOCAL:
        return size_of_local(l);
    case BATCHNORM:
        return size_of_batchnorm(l);
    case RNN:
    case CRNN:
        return SIZE_OF_PARTS(l->input_layer, l->self_layer, l->output_layer);
    case GRU:
        return SIZE_OF_PARTS(l->wz, l->wr, l->wh, l->uz, l->ur, l->uh);
    case LSTM:
        return SIZE_OF_PARTS(l->wi, l->wf, l->wo, l->wg, l->ui, l->uf, l->uo, l->ug);
    default:
        return (layer_size){0};
    }
}

void add_layer_size(layer_size *sum, const layer_size *size) {
    sum->weights += size->weights;
    sum->biases += size->biases;
    sum->scales += size->scales;
    sum->rolling += size->rolling;
    sum->multiply_adds += size->multiply_adds;
}

uint64_t trainable_parameters(const layer_size *size) {
    return size->weights + size->biases + size->scales;
}

const char *layer_type_name(const layer *l) {
    switch (l->type) {
    case UPSAMPLE:
        return "upsample";
    case LOGXENT:
        return "logistic";
    case L2NORM:
        return "l2norm";
    case YOLO:
        return "yolo";
    case ISEG:
        return "iseg";
    default:
        return get_layer_string(l->type);
    }
}
