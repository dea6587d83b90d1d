/* bias=0 of [convolutional]: a convolution without bias. Its layer has nbiases 0; its biases are
 * 0 and stay so, in the weights file too, whose layout does not change. */
#ifndef DLB_BIAS_KEY_H
#define DLB_BIAS_KEY_H

#include "darknet.h"

/* Host seam: reads the key of a [convolutional] that has just been made. Ends the program with one
 * sentence if it is neither 0 nor 1, or 0 with batch_normalize=1, whose shift the biases are. */
void read_bias_key(const char *cfg_file, list *options, layer *l);

/* Host seam: ends the program with one sentence if the layer, number `index`, has no bias but the
 * weights file has brought one. */
void check_loaded_biases(const char *weights_file, int index, const layer *l);

#endif
