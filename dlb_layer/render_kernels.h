/* Rows rendered on a GPU, as augment.h, normalise.h, cutout.h and mix_rows.h do it on the CPU: how
 * the kernel is launched. */
#ifndef RENDER_KERNELS_H
#define RENDER_KERNELS_H

#include "drawn_row.h"

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Renders at least one row of at least one pixel, in `stream`. Does not wait; returns what the
 * launch answers. */
cudaError_t launch_render_rows(const render_pass *pass, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif

#endif
