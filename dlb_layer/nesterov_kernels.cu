#include "nesterov_kernels.h"

#include "nesterov_blocks.h"
#include "gpu_stream.h"

enum { THREADS = 256 };

cudaError_t launch_look_ahead(float *values, float *before, const float *updates, size_t count,
                              float rate) {
    unsigned blocks = (unsigned)((count + THREADS - 1) / THREADS);
    look_ahead_pass pass = {values, before, updates, count, rate};
    look_ahead_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(pass);
    return cudaPeekAtLastError();
}
