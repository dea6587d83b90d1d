/* How the values of batch normalisation's channels are shared out over the blocks of a launch, so
 * that a layer of few channels keeps a large card busy, too. Block b has part b % parts of channel
 * b / parts. For C and for CUDA. */
#ifndef BATCHNORM_SPLIT_H
#define BATCHNORM_SPLIT_H

#include "block_threads.h"

/* Blocks that are aimed at, and values below which a channel is not cut further. */
enum { BATCHNORM_BLOCKS = 1024, BATCHNORM_LEAST_VALUES = 1024, BATCHNORM_WARP = 32 };

typedef struct {
    unsigned length;  /* values of a part, in their order; of the last one what is left, not 0 */
    unsigned parts;   /* of a channel */
    unsigned threads; /* of a block */
} batchnorm_split;

static inline unsigned most_parts_of_channel(unsigned channels) {
    return (BATCHNORM_BLOCKS + channels - 1) / channels;
}

/* For `channels` of `values` each, neither of them 0, fewer than 2^31 in all. */
static inline batchnorm_split split_channels(unsigned channels, unsigned values) {
    unsigned most = most_parts_of_channel(channels);
    unsigned length = (values + most - 1) / most;
    if (length < BATCHNORM_LEAST_VALUES)
        length = BATCHNORM_LEAST_VALUES;
    length = (length + BATCHNORM_WARP - 1) / BATCHNORM_WARP * BATCHNORM_WARP;
    batchnorm_split split = {length, (values + length - 1) / length,
                             (unsigned)dlb_threads_for((int)(values < length ? values : length))};
    return split;
}

/* No number of values makes more parts of all channels together. */
static inline unsigned most_batchnorm_parts(unsigned channels) {
    return channels * most_parts_of_channel(channels);
}

#endif
