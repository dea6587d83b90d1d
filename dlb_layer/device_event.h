/* Events of CUDA's that order streams and tell the host how far the device is. GPU builds only. */
#ifndef DEVICE_EVENT_H
#define DEVICE_EVENT_H

#ifdef GPU
#include "gpu_status.h"

#include <stdbool.h>

/* The caller destroys it. */
static inline cudaEvent_t make_device_event(void) {
    cudaEvent_t event;
    check_error(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return event;
}

/* Whether all that came before the event has been done; does not wait. */
static inline bool device_is_past(cudaEvent_t event) {
    cudaError_t status = cudaEventQuery(event);
    if (status == cudaErrorNotReady) {
        cudaGetLastError(); /* or the next check would find it */
        return false;
    }
    check_error(status);
    return true;
}

/* What comes to `later` from here on waits for what is in `earlier` now. The event can be used
 * again at once. */
static inline void order_streams(cudaStream_t earlier, cudaEvent_t event, cudaStream_t later) {
    check_error(cudaEventRecord(event, earlier));
    check_error(cudaStreamWaitEvent(later, event, 0));
}
#endif

#endif
