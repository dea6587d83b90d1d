/* [route] on a GPU, one launch for all rows of an input. */
#ifndef ROUTE_GPU_H
#define ROUTE_GPU_H

#include "darknet.h"

#ifdef GPU
/* Host seams: the passes of a [route] layer. Forward copies its inputs' outputs beside each other,
 * backward adds its delta to theirs. Neither waits for the device. */
void forward_route_rows_gpu(const layer *l, const network *net);
void backward_route_rows_gpu(const layer *l, const network *net);
#endif

#endif
