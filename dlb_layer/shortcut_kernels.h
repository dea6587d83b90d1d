/* The passes of [shortcut] between layers of one shape: what the kernels take, and how they are
 * launched. */
#ifndef SHORTCUT_KERNELS_H
#define SHORTCUT_KERNELS_H

#include "activation_slope.h"

#include <stddef.h>

/* output = activation(alpha * input + beta * other). All arrays are (count), on the device. */
typedef struct {
    const float *input, *other;
    float *output;
    float *delta;                     /* becomes that of the sum */
    float *input_delta, *other_delta; /* added to */
    size_t count;
    float alpha, beta;
    activation_slope slope;
} shortcut_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); count is not 0. Neither waits; both return what the launch answers. Forward
 * takes input, other and output, backward output and the deltas. */
cudaError_t launch_forward_shortcut(const shortcut_pass *pass);
cudaError_t launch_backward_shortcut(const shortcut_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
