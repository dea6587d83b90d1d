#ifndef AVGPOOL_KERNELS_H
#define AVGPOOL_KERNELS_H

#include <stdint.h>

/* Shapes of an [avgpool] with windows, and the device's arrays: of a forward pass the first two, of
 * a backward pass the others. Pictures are (planes, height, width), row-major. */
typedef struct {
    int planes; /* batch * channels */
    int width, height, out_width, out_height;
    int size, stride, padding;
    const float *input;        /* (planes, height, width) */
    float *output;             /* (planes, out_height, out_width) */
    const float *output_delta; /* (planes, out_height, out_width) */
    float *input_delta;        /* (planes, height, width), added to */
} avgpool_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); do not wait. Return what the launch answers. */
cudaError_t launch_forward_avgpool(const avgpool_pass *pass);
cudaError_t launch_backward_avgpool(const avgpool_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
