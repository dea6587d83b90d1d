#include "avgpool_kernels.h"

#include "avgpool_blocks.h"
#include "gpu_stream.h"

enum { THREADS = 256 };

static unsigned blocks_for(int64_t values) {
    return (unsigned)((values + THREADS - 1) / THREADS);
}

cudaError_t launch_forward_avgpool(const avgpool_pass *p) {
    int64_t outputs = (int64_t)p->planes * p->out_width * p->out_height;
    forward_avgpool_kernel<<<blocks_for(outputs), THREADS, 0, gpu_stream()>>>(*p);
    return cudaPeekAtLastError();
}

cudaError_t launch_backward_avgpool(const avgpool_pass *p) {
    int64_t inputs = (int64_t)p->planes * p->width * p->height;
    backward_avgpool_kernel<<<blocks_for(inputs), THREADS, 0, gpu_stream()>>>(*p);
    return cudaPeekAtLastError();
}
