/* Which activations of layers kernels of ours know. */
#ifndef LAYER_SLOPE_H
#define LAYER_SLOPE_H

#include "activation_slope.h"
#include "darknet.h"

#include <stdbool.h>

/* Whether they know this one. */
static inline bool find_slope(ACTIVATION activation, activation_slope *slope) {
    switch (activation) {
    case LINEAR:
        *slope = SLOPE_LINEAR;
        return true;
    case RELU:
        *slope = SLOPE_RELU;
        return true;
    case LEAKY:
        *slope = SLOPE_LEAKY;
        return true;
    default:
        return false;
    }
}

#endif
