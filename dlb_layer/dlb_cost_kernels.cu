#include "dlb_cost_kernels.h"

#include "dlb_cost_blocks.h"
#include "gpu_stream.h"

cudaError_t launch_dlb_cost(const dlb_cost_pass *pass) {
    int rows = 2 * pass->half;
    int widest = pass->classes > rows ? pass->classes : rows;
    dlb_cost_rows_kernel<<<rows, dlb_threads_for(pass->classes), 0, gpu_stream()>>>(*pass);
    cudaError_t status = cudaPeekAtLastError();
    if (status != cudaSuccess)
        return status;
    dlb_cost_finish_kernel<<<pass->half + 1, dlb_threads_for(widest), 0, gpu_stream()>>>(*pass);
    return cudaPeekAtLastError();
}
