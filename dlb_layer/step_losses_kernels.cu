#include "step_losses_kernels.h"

#include "step_losses_blocks.h"

cudaError_t launch_add_losses(const float *losses, int count, double *sum) {
    loss_sum s = {losses, count, sum};
    add_losses_kernel<<<1, DLB_MOST_THREADS>>>(s);
    return cudaPeekAtLastError();
}
