/* [shortcut] on a GPU in one launch a pass: the sum and its activation. */
#ifndef SHORTCUT_GPU_H
#define SHORTCUT_GPU_H

#include "darknet.h"

#ifdef GPU
/* Host seams. Each does the whole pass and returns 1; or, where the two inputs differ in shape or
 * the activation is none of linear, relu and leaky, nothing and returns 0, and the host does it. */
int forward_whole_shortcut_gpu(const layer *l, const network *net);
int backward_whole_shortcut_gpu(const layer *l, const network *net);
#endif

#endif
