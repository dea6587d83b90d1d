#include "gpu_stream.h"

#ifdef GPU
static _Thread_local cudaStream_t current;

cudaStream_t gpu_stream(void) {
    return current;
}

void set_gpu_stream(cudaStream_t stream) {
    current = stream;
}
#endif
