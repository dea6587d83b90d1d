/* Which of cuDNN's algorithms a convolution runs. GPU builds with cuDNN only. */
#ifndef CONVOLUTION_ALGORITHMS_H
#define CONVOLUTION_ALGORITHMS_H

#include "darknet.h"

#ifdef CUDNN
/* Host seam: sets fw_algo, bd_algo and bf_algo of a convolutional layer whose descriptors are set,
 * and workspace_size to what the three need. They are the first of cuDNN's list, which is sorted by
 * expected time or, with l->cudnn_benchmark, by time measured here and now, that run with the
 * layer's descriptors in at most 2 GB. l->strict_float32 keeps them from rounding to TF32; with
 * l->half they are for 16 bits, and workspace_size has the copies' bytes, too: see
 * half_convolution.h. Ends the program where there is none. */
void pick_convolution_algorithms(layer *l, cudnnHandle_t handle);
#endif

#endif
