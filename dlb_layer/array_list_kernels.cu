#include "array_list_kernels.h"

#include "array_list_blocks.h"
#include "flat_array_blocks.h"
#include "gpu_stream.h"

enum { THREADS = 256 };

cudaError_t launch_update_arrays(const update_pass *pass, unsigned blocks) {
    update_arrays_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_set_update_numbers(const numbers_pass *pass) {
    set_update_numbers_kernel<<<1, 1, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_check_gradients(const update_pass *pass, unsigned blocks) {
    check_gradients_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_step_loss_scale(loss_scale *scale) {
    step_loss_scale_kernel<<<1, 1, 0, gpu_stream()>>>(scale);
    return cudaPeekAtLastError();
}

cudaError_t launch_clear_arrays(const clear_pass *pass, unsigned blocks) {
    clear_arrays_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_gather_arrays(const flat_pass *pass, unsigned blocks) {
    gather_arrays_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_scatter_arrays(const flat_pass *pass, unsigned blocks) {
    scatter_arrays_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t load_array_kernels(void) {
    const void *kernels[] = {
        (const void *)gather_arrays_kernel,   (const void *)scatter_arrays_kernel,
        (const void *)clear_arrays_kernel,    (const void *)set_update_numbers_kernel,
        (const void *)check_gradients_kernel, (const void *)update_arrays_kernel,
        (const void *)step_loss_scale_kernel};
    cudaError_t status = cudaSuccess;
    for (const void *kernel : kernels) {
        cudaFuncAttributes attributes;
        if (status == cudaSuccess)
            status = cudaFuncGetAttributes(&attributes, kernel);
    }
    return status;
}
