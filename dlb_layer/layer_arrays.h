/* The arrays that a layer's update moves: its parameters, each with what the host keeps for it from
 * one iteration to the next. */
#ifndef LAYER_ARRAYS_H
#define LAYER_ARRAYS_H

#include "darknet.h"

#include <stdbool.h>

enum { MOST_LAYER_ARRAYS = 3 };

typedef struct {
    float *values;        /* (count) */
    float *updates;       /* (count), minus the gradient, with what momentum kept */
    size_t count;         /* at least 1 */
    float *mean, *square; /* (count), Adam's on a GPU, in the GPU's memory; NULL without */
    float *updates_gpu;   /* `updates` there; NULL without a GPU */
} layer_array;

/* Whether the layer has an update, but is of a kind whose arrays are not known here. */
bool has_unknown_arrays(const layer *l);

/* Fills `arrays` with weights, biases and scales, those of them that there are; returns their
 * number, 0 for a layer without an update. The arrays belong to the layer. */
int list_layer_arrays(const layer *l, layer_array arrays[MOST_LAYER_ARRAYS]);

#endif
