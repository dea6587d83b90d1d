#include "bias_kernels.h"

#include "bias_blocks.h"
#include "gpu_stream.h"

enum { THREADS = 256 };

static unsigned blocks_for(unsigned values) {
    return (values + THREADS - 1) / THREADS;
}

cudaError_t launch_forward_bias(const bias_pass *pass) {
    unsigned blocks = blocks_for(pass->rows * pass->channels * pass->pixels);
    forward_bias_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_backward_bias(const bias_pass *pass) {
    backward_bias_kernel<<<blocks_for(pass->channels), THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
