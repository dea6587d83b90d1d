#include "shortcut_kernels.h"

#include "gpu_stream.h"
#include "shortcut_blocks.h"

enum { THREADS = 256 };

static unsigned blocks_for(const shortcut_pass *pass) {
    return (unsigned)((pass->count + THREADS - 1) / THREADS);
}

cudaError_t launch_forward_shortcut(const shortcut_pass *pass) {
    forward_shortcut_kernel<<<blocks_for(pass), THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_backward_shortcut(const shortcut_pass *pass) {
    backward_shortcut_kernel<<<blocks_for(pass), THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
