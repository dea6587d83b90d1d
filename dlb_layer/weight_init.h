/* Initial weights other than the host's, which draws those of [convolutional] from
 * N(0, 2 / (size * size * channels / groups)) and those of [connected] uniformly from
 * +-sqrt(2 / inputs). */
#ifndef DLB_WEIGHT_INIT_H
#define DLB_WEIGHT_INIT_H

#include "darknet.h"

/* Host seams: draw the weights of a layer that has just been made anew, from rand(), as its section
 * says; without the key the layer and rand() stay as they are. Biases are 0. */

/* init=he_fan_out: N(0, 2 / (size * size * filters / groups)), as He et al. (ICCV 2015, equation
 * 14) have it for the backward pass. Ends the program if init is anything else. */
void init_convolutional(const char *cfg_file, list *options, layer *l);

/* init_std=S: N(0, S * S). Ends the program if S is no number > 0. */
void init_connected(const char *cfg_file, list *options, layer *l);

#endif
