/* Batch normalization as the host computes it, which differs from the library's: variance with
 * n - 1, .000001 beside the root in the forward pass and .00001 under it in the backward pass. For
 * layers with l.out_c scales, biases and rolling statistics. Internal to onednn/. */
#ifndef ONEDNN_NORMALIZATION_H
#define ONEDNN_NORMALIZATION_H

#include "backend.h"

/* Sets what blocked_normalize() needs in l.cpu->stats: from x, in the blocked layout and the shape
 * of the output, in training, which rolls the rolling statistics on; from those in inference. */
void find_statistics(layer l, network net, const float *x);

/* The gradient of x from that of act(normalized x), in one or two parts; `slope` is act's, see
 * blocked.h. Adds to l.bias_updates and l.scale_updates. Takes over the caller's holds of `delta`
 * and `more`; the caller drops the result. */
pool_buffer *back_normalized(layer l, network net, const float *x, float slope, pool_buffer *delta,
                             pool_buffer *more);

#endif
