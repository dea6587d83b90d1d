/* Host seams: batch normalisation's statistics over all ranks (sync_bn=1) for a network on a GPU.
 * The arrays are on the device, (channels) each; they go through the host, and the host waits for
 * them, in each layer twice a step. None of this has ever run on a card. */
#ifndef JOINED_STATISTICS_GPU_H
#define JOINED_STATISTICS_GPU_H

#include "darknet.h"

#ifdef GPU
/* Whether they are joined. Then the host's own kernels have to compute the layer: cuDNN's do it in
 * one call, which leaves no place for others' sums. */
int joins_statistics_gpu(const network *net);

/* What a variance over all ranks' values, with n - 1, has to be multiplied by to be one with n, by
 * which cuDNN normalises; `count` as in join_statistics(). */
float biased_part_of_variance(const network *net, int count);

/* As join_statistics() and join_gradient_sums() of shared_network.h. */
void join_statistics_gpu(const network *net, int channels, int count, float *means,
                         float *variances);
void join_gradient_sums_gpu(const network *net, int channels, float *first, float *second);
#endif

#endif
