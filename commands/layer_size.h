/* How many parameters a layer of Darknet's has, and how much it computes. */
#ifndef LAYER_SIZE_H
#define LAYER_SIZE_H

#include "darknet.h"

#include <stdint.h>

typedef struct {
    uint64_t weights;       /* of convolutions and matrix products */
    uint64_t biases;        /* one an output channel, or one an output of [connected], [local] */
    uint64_t scales;        /* of batch normalization */
    uint64_t rolling;       /* rolling means and variances: kept up, not trained */
    uint64_t multiply_adds; /* of weights with inputs, one image forward; nothing else counts */
} layer_size;

layer_size size_of_layer(const layer *l);

void add_layer_size(layer_size *sum, const layer_size *size);

uint64_t trainable_parameters(const layer_size *size);

/* The section's name, without brackets. */
const char *layer_type_name(const layer *l);

#endif
