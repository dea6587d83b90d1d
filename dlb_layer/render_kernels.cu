#include "render_kernels.h"

#include "render_blocks.h"

enum { THREADS = 256 };

cudaError_t launch_render_rows(const render_pass *pass, cudaStream_t stream) {
    size_t pixels = pass->count * (size_t)pass->settings.width * (size_t)pass->settings.height;
    unsigned blocks = (unsigned)((pixels + THREADS - 1) / THREADS);
    render_rows_kernel<<<blocks, THREADS, 0, stream>>>(*pass);
    return cudaPeekAtLastError();
}
