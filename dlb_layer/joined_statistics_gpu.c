#include "joined_statistics_gpu.h"

#ifdef GPU
#include "fail.h"
#include "shared_network.h"
#include "shared_network_state.h"

#include <stdlib.h>

int joins_statistics_gpu(const network *net) {
    return net->ranks && net->ranks->joins_statistics;
}

float biased_part_of_variance(const network *net, int count) {
    double all = (double)count * net->ranks->share.shards;
    return (float)((all - 1) / all);
}

/* Two arrays on the host. */
typedef struct {
    float *first, *second; /* (channels) */
} two_arrays;

static two_arrays pull(int channels, float *first, float *second) {
    size_t count = (size_t)channels;
    float *floats = allocate(2 * count, sizeof *floats);
    cuda_pull_array(first, floats, count);
    cuda_pull_array(second, floats + count, count);
    return (two_arrays){floats, floats + count};
}

static void push(two_arrays from, int channels, float *first, float *second) {
    cuda_push_array(first, from.first, (size_t)channels);
    cuda_push_array(second, from.second, (size_t)channels);
    free(from.first);
}

void join_statistics_gpu(const network *net, int channels, int count, float *means,
                         float *variances) {
    if (!joins_statistics_gpu(net))
        return;
    two_arrays own = pull(channels, means, variances);
    join_statistics(net, channels, count, own.first, own.second);
    push(own, channels, means, variances);
}

void join_gradient_sums_gpu(const network *net, int channels, float *first, float *second) {
    if (!joins_statistics_gpu(net))
        return;
    two_arrays own = pull(channels, first, second);
    join_gradient_sums(net, channels, own.first, own.second);
    push(own, channels, first, second);
}
#endif
