/* Where a network computes. */
#ifndef NETWORK_DEVICE_H
#define NETWORK_DEVICE_H

#include "darknet.h"

#include <stdbool.h>

/* The library without CUDA leaves gpu_index as it finds it. */
static inline bool is_on_gpu(const network *net) {
#ifdef GPU
    return net->gpu_index >= 0;
#else
    (void)net;
    return false;
#endif
}

#endif
