#include "row_kernels.h"

#include "gpu_stream.h"
#include "row_blocks.h"

enum { THREADS = 256 };

static unsigned blocks_for(const rows_pass *pass) {
    return (unsigned)((pass->rows * pass->width + THREADS - 1) / THREADS);
}

cudaError_t launch_copy_rows(const rows_pass *pass) {
    copy_rows_kernel<<<blocks_for(pass), THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}

cudaError_t launch_add_rows(const rows_pass *pass) {
    add_rows_kernel<<<blocks_for(pass), THREADS, 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
