/* The stream that kernels are launched in: the default one, but for the time in which a step is
 * captured as a graph. For C and CUDA; GPU builds only. */
#ifndef GPU_STREAM_H
#define GPU_STREAM_H

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* This thread's; 0, the default stream, unless set_gpu_stream() said otherwise. */
cudaStream_t gpu_stream(void);
void set_gpu_stream(cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif

/* Whether a step is captured: what is launched is not done yet. */
static inline int is_captured(void) {
#ifdef GPU
    return gpu_stream() != 0;
#else
    return 0;
#endif
}

#endif
