/* decay_all=1 of [net]: weight decay of biases and scales too, as torch.optim.SGD has it; the host
 * decays weights only. */
#ifndef DLB_DECAY_ALL_H
#define DLB_DECAY_ALL_H

#include "darknet.h"

/* Host seam: the key's value. Ends the program with one sentence if it is neither 0 nor 1, or 1
 * with adam=1, whose own update decays everything on a GPU. */
int read_decay_all(const char *cfg_file, list *net_options, int adam);

/* Host seam, with decay_all=1: ends the program with one sentence if the layer, number `index`, is
 * trained but of a kind whose parameters decay_biases_and_scales() does not know. */
void check_decay_all(const char *cfg_file, int index, const layer *l);

/* Host seam, before the layer's own update: takes decay * batch times biases and scales off their
 * updates, which are minus the gradient summed over the batch, as the host does with weights. So
 * every way to step from the updates sees the decayed gradient. */
void decay_biases_and_scales(const layer *l, update_args a);
#ifdef GPU
void decay_biases_and_scales_gpu(const layer *l, update_args a);
#endif

#endif
