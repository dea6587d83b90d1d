/* The host's update of a layer's weights, in one pass. */
#ifndef ONEDNN_SGD_STEP_H
#define ONEDNN_SGD_STEP_H

/* updates -= decay * weights; weights += rate * updates; updates *= momentum.
 * `updates` are minus the gradient summed over the batch, with what momentum kept; `rate` and
 * `decay` are for that sum. Split over OpenMP's threads where it pays. */
void sgd_step(int count, float rate, float decay, float momentum, float *weights, float *updates);

#endif
