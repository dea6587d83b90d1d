#ifndef NESTEROV_KERNELS_H
#define NESTEROV_KERNELS_H

#ifdef GPU
#include <cuda_runtime.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* look_ahead_of() of `count` parameters on the device, in gpu_stream(); does not wait.
 * Returns what the launch answers. */
cudaError_t launch_look_ahead(float *values, float *before, const float *updates, size_t count,
                              float rate);

#ifdef __cplusplus
}
#endif
#endif

#endif
