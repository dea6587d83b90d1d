/* gradient_sums.h for a network on a GPU: what is summed is gathered on the device in one flat
 * buffer, whose buckets are summed in a stream of their own while the device is at the layers
 * below, by NCCL (nccl_sums.h) or through the host (pinned_sums.h). None of this has ever run on a
 * card.
 *
 * Each function is what the one in gradient_sums.h says, for the device; the parameters' kinds have
 * been checked. */
#ifndef GRADIENT_SUMS_GPU_H
#define GRADIENT_SUMS_GPU_H

#include "darknet.h"

#if defined(GPU) && defined(DLB_MPI)

/* Says on rank 0 which way the gradients go. */
void prepare_device_sums(network *net);
void free_device_sums(network *net);
void begin_iteration_on_device(network *net);
void sum_next_on_device(network *net);
void device_gradients_are_ready(network *net, int index);
void finish_device_sums(network *net);
void await_device_sums(const network *net);

#else /* a network on several ranks is on the CPU */

static inline void prepare_device_sums(network *net) {
    (void)net;
}
static inline void free_device_sums(network *net) {
    (void)net;
}
static inline void begin_iteration_on_device(network *net) {
    (void)net;
}
static inline void sum_next_on_device(network *net) {
    (void)net;
}
static inline void device_gradients_are_ready(network *net, int index) {
    (void)net, (void)index;
}
static inline void finish_device_sums(network *net) {
    (void)net;
}
static inline void await_device_sums(const network *net) {
    (void)net;
}

#endif

#endif
