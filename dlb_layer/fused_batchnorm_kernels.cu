#include "fused_batchnorm_kernels.h"

#include "fused_batchnorm_blocks.h"
#include "gpu_stream.h"

cudaError_t launch_forward_fused_batchnorm(const fused_batchnorm_pass *pass) {
    unsigned blocks = pass->channels * pass->split.parts, threads = pass->split.threads;
    batchnorm_moments_kernel<<<blocks, threads, 0, gpu_stream()>>>(*pass);
    batchnorm_outputs_kernel<<<blocks, threads, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_backward_fused_batchnorm(const fused_batchnorm_pass *pass) {
    unsigned blocks = pass->channels * pass->split.parts, threads = pass->split.threads;
    batchnorm_sums_kernel<<<blocks, threads, 0, gpu_stream()>>>(*pass);
    batchnorm_deltas_kernel<<<blocks, threads, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
