/* Nesterov's momentum on top of the host's updates, as torch.optim.SGD(nesterov=True) defines it:
 *
 *     v = mu * v + g,  w -= rate * (g + mu * v)       g: mean gradient, with decay
 *
 * The host keeps -batch * mu * v between two iterations in each parameter's `updates`, adds minus
 * the gradients, and its own step is w -= rate * v. As g = v - mu * (v before),
 *
 *     g + mu * v = v + (mu * v - mu * (v before)),
 *
 * so what is missing after the host's step is rate/batch times the difference of `updates` now and
 * one iteration ago. No layer's own update has to change for that, whoever computes it. */
#ifndef NESTEROV_H
#define NESTEROV_H

#include "darknet.h"

typedef struct nesterov nesterov;

/* The first layer that has parameters to update and whose kind is not known here; -1 if all are. */
int find_layer_without_nesterov(const network *net);

/* Notes `updates` as they are, before the first gradient is added. The network's parameters must
 * keep their places. The caller releases it with nesterov_free. */
nesterov *nesterov_create(const network *net);

/* Accepts NULL. */
void nesterov_free(nesterov *n);

/* The array that belongs to the parameters at `values` and holds their `updates` of one iteration
 * ago; NULL where there is none. It is the nesterov's. */
float *nesterov_before(const nesterov *n, const float *values);

/* After the host has updated all layers with these arguments. */
void nesterov_step(nesterov *n, const network *net, update_args a);

#endif
