/* The update of one parameter by stochastic gradient descent, for C and for CUDA. */
#ifndef SGD_UPDATE_H
#define SGD_UPDATE_H

#include "nesterov_step.h"

#include <stddef.h>

/* For an array of parameters. */
typedef struct {
    float rate;     /* for a gradient that is a sum over the batch */
    float decay;    /* the same; 0: none */
    float momentum; /* part of the update that the next one begins with */
    float clip;     /* values stay between -clip and clip; 0: none */
} sgd_factors;

/* What the host's axpy, scal and constrain do one after the other to `value` and to `update`, minus
 * the gradient and what momentum kept; then, where `before` is not NULL, Nesterov's step. */
DLB_FUNCTION void sgd_update_of(float *value, float *update, float *before, sgd_factors f) {
    if (f.decay != 0)
        *update -= f.decay * *value;
    *value += f.rate * *update;
    *update *= f.momentum;
    if (f.clip != 0)
        *value = fminf(f.clip, fmaxf(-f.clip, *value));
    if (before)
        look_ahead_of(value, before, *update, f.rate);
}

#endif
