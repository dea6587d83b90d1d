/* [avgpool] with windows on a GPU: the twins of the host's functions of these names on the CPU. */
#ifndef AVGPOOL_GPU_H
#define AVGPOOL_GPU_H

#include "darknet.h"

#ifdef GPU
/* Host seams. The gradient adds to the input's delta. */
void forward_local_avgpool_layer_gpu(layer l, network net);
void backward_local_avgpool_layer_gpu(layer l, network net);
#endif

#endif
