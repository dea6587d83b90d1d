/* The arrays of a layer that training changes, and that a weights file holds, whatever kind of
 * layer it is: one list of them for all who walk over a network's parameters. */
#ifndef LAYER_ARRAYS_H
#define LAYER_ARRAYS_H

#include "darknet.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name; /* "weights", "biases", "scales", "rolling means", "rolling variances" */
    const char *part; /* of a recurrent layer: "input", "wf" ...; NULL for a plain layer */
    float *values;    /* (count) */
    float *updates;   /* (count), minus the gradient and momentum; NULL for rolling statistics */
    size_t count;
    float *adam_mean, *adam_square; /* (count), in the GPU's memory; NULL without a GPU or adam=1 */
    float *values_gpu, *updates_gpu; /* `values` and `updates` there; NULL without a GPU */
} layer_array;

enum { MOST_LAYER_ARRAYS = 5 * 8 };

/* Whether the layer has an update, but is no plain layer whose arrays list_layer_arrays() knows. */
bool has_unknown_arrays(const layer *l);

/* Fills `arrays`, (MOST_LAYER_ARRAYS), with those that the layer has, on the CPU; returns how many.
 * They point into the layer. */
int list_layer_arrays(const layer *l, layer_array *arrays);

/* The layers that a recurrent layer consists of, and their names; returns how many, 0 for any other
 * layer. */
enum { MOST_LAYER_PARTS = 8 };
int list_layer_parts(const layer *l, const layer **parts, const char **names);

/* Brings the values to the GPU; nothing without one. */
void push_layer_array(const layer_array *array);

/* The values from one network's array to the same one of another, on the CPU. */
void copy_layer_array(const layer_array *from, const layer_array *to);

/* The `updates` of an array as messages call them, "gradient of the weights"; with `part`. The
 * caller frees it. */
char *describe_layer_array(const layer_array *array, int is_gradient);

#endif
