#include "batchnorm_kernels.h"

#include "batchnorm_blocks.h"
#include "gpu_stream.h"

enum { THREADS = 256 };

cudaError_t launch_rolling_batchnorm(const rolling_batchnorm_pass *pass) {
    unsigned count = pass->rows * pass->channels * pass->pixels;
    unsigned blocks = (count + THREADS - 1) / THREADS;
    rolling_batchnorm_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
