/* A convolution in 16 bits, channels last, on a GPU: half= of [net]. Builds with cuDNN only.
 *
 * Weights, outputs, deltas and gradients stay float32 and NCHW. For each pass cuDNN gets 16 bit
 * NHWC copies of what it needs, sums in float32, and gives back 16 bits, which are converted and,
 * as gradients, added to the float32 ones: its tables know no filter gradient of float32 from
 * factors of 16 bits. Channels and filters are padded to a multiple of 8 with zeros, because
 * NVIDIA's manual promises tensor cores for such NHWC arrays, and pads by itself in NCHW alone.
 *
 * The copies lie in the network's workspace, before cuDNN's own part of it, and are made again in
 * the backward pass. To keep each layer's input would save two bytes read and four written less a
 * value there, for two more of memory in each layer. */
#ifndef HALF_CONVOLUTION_H
#define HALF_CONVOLUTION_H

#include "darknet.h"

#ifdef CUDNN
#ifdef __cplusplus
extern "C" {
#endif

/* Whether a layer can be computed in 16 bits; those with groups, binary or xnor stay float32. */
int can_be_half(const layer *l);

/* Host seam, of a layer with `half` whose descriptors are set for float32: sets those for 16 bits,
 * but for dstTensorDesc, which batch normalization takes. */
void describe_half_convolution(layer *l);

/* Bytes of the copies, at the front of the workspace. 0 where the layer has no `half`. */
size_t half_copies_bytes(const layer *l);

/* Host seams, in gpu_stream(); neither waits. The first writes `output`, (batch, n, out_h, out_w);
 * the second adds to weight_updates_gpu and, where there is one, to net->delta_gpu. */
void forward_half_convolution(const layer *l, const network *net, float *output);
void backward_half_convolution(const layer *l, const network *net);

#ifdef __cplusplus
}
#endif
#endif

#endif
