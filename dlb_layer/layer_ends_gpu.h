/* What follows the products of a layer on a GPU, in one launch: bias or batch normalisation, and
 * the activation; and what comes before those of its backward pass. */
#ifndef LAYER_ENDS_GPU_H
#define LAYER_ENDS_GPU_H

#include "darknet.h"

#ifdef GPU
#ifdef __cplusplus
extern "C" {
#endif

/* Host seam: whether a layer's products are in x_gpu, for batch normalisation, which writes
 * output_gpu: those of [convolutional] and [connected]. Else they are in output_gpu. */
int has_products_in_x(const layer *l);

/* Host seams, of a [convolutional] or [connected]. Each does what there is to do and returns 1; or,
 * where the activation is none of linear, relu and leaky, where there is only an activation,
 * where batch normalisation trains without fused_batchnorm=1, and of the backward pass where biases
 * are of several pixels, nothing and returns 0, and the host does it. */
int finish_outputs_gpu(const layer *l, const network *net);
int begin_deltas_gpu(const layer *l, const network *net);

/* Host seams: batch normalisation of any layer without its activation, likewise. In inference what
 * is normalised is in x_gpu afterwards, as for a backward pass. */
int forward_whole_batchnorm_gpu(const layer *l, const network *net);
int backward_whole_batchnorm_gpu(const layer *l, const network *net);

#ifdef __cplusplus
}
#endif
#endif

#endif
