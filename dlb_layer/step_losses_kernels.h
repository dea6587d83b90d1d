#ifndef STEP_LOSSES_KERNELS_H
#define STEP_LOSSES_KERNELS_H

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Adds losses, (count), to *sum, all on the device, in gpu_stream(); does not wait. Returns
 * what the launch answers. */
cudaError_t launch_add_losses(const float *losses, int count, double *sum);

#ifdef __cplusplus
}
#endif
#endif

#endif
