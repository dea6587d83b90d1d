/* half= of [net]: convolutions in 16 bits on a GPU; see half_convolution.h. */
#ifndef HALF_KEY_H
#define HALF_KEY_H

#include "darknet.h"
#include "half_float.h"

/* Host seam: the key's value, for networks made on this device (`gpu_index`). On the CPU it changes
 * nothing. Ends the program with one sentence naming cfg_file where it is none of 0, 1 (float16)
 * and bfloat16; on a GPU where it is 1 with adam=1, whose updates cannot be left out, where the
 * build has no cuDNN, or bfloat16 where the card has none. */
half_type read_half(const char *cfg_file, list *net_options, int adam);

/* Host seam, for each layer of a network with half=: ends the program with one sentence if on a GPU
 * float16 does not go with the layer, number `index`, because its updates cannot be left out. */
void check_half(const char *cfg_file, int index, const layer *l, half_type half);

#endif
