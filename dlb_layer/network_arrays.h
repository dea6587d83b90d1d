/* The arrays of a network that one launch goes over, found in its layers. They lie where the
 * network computes, on the CPU or on a GPU. */
#ifndef NETWORK_ARRAYS_H
#define NETWORK_ARRAYS_H

#include "array_list.h"
#include "darknet.h"

#include <stdbool.h>

/* Room for the lists of a network with so many layers. */
enum { MOST_UPDATED_ARRAYS = 3, MOST_DELTAS = 1 }; /* a layer */

/* Whether list_updated_arrays() knows the layer, which has an update. */
bool is_updated_by_list(const layer *l);

/* Fills `arrays`, (MOST_UPDATED_ARRAYS * net->n), with all that the network's update moves, where
 * `decay_all` is that of [net]; returns how many, or -1 where the host has to update it itself:
 * with adam=1, or a layer that is none of convolutional, deconvolutional, connected, local and
 * batchnorm. */
int list_updated_arrays(const network *net, int decay_all, updated_array *arrays);

/* Fills `arrays`, (MOST_DELTAS * net->n), with the deltas of the layers, (batch, outputs) each;
 * returns how many. */
int list_deltas(const network *net, float_array *arrays);

#endif
