/* Whether the sizes that a cfg asks for can be had, before the host asks for the memory: it
 * multiplies them as ints and takes what calloc() gives. */
#ifndef CFG_SIZES_H
#define CFG_SIZES_H

#include "cfg_section.h"

#include <stdbool.h>

/* For [net]: ends the program with one sentence if its sizes are negative or too large for an int,
 * one by one or multiplied to a picture or a batch of inputs. */
void check_net_sizes(const cfg_section *s);

/* For a layer: ends the program with one sentence that names layer and keys if the layer's outputs,
 * weights or workspace are more values than an int can count, or if one of these arrays, or the
 * weights so far, takes more than memory_limit(); and if a size is below 1, or leaves no output; if
 * a [crop] is larger than its picture, or `groups` of a [convolutional] do not divide its channels
 * and filters; and if the layer needs a picture, but gets none. */
void check_layer_sizes(const cfg_section *s, LAYER_TYPE type);

/* Before the first iteration: ends the program if the weights with their updates and one copy of
 * each layer's outputs, which is less than any training needs, take more than memory_limit(). With
 * has_copy the same is counted again for a network with the rows of all ranks. Not for a GPU. */
void check_training_memory(const char *cfg_file, const network *net, bool has_copy);

#endif
