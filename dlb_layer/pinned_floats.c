#include "pinned_floats.h"

#include "darknet.h"
#include "fail.h"

#include <stdlib.h>

#ifdef GPU
#include "gpu_status.h"

#include <stdbool.h>
#include <string.h>

static void *pin(size_t bytes) {
    static bool is_said;
    void *memory = NULL;
    cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
    if (status == cudaSuccess)
        return memset(memory, 0, bytes);
    cudaGetLastError(); /* or the next check would find it */
    if (!is_said)
        fprintf(stderr,
                "CUDA pins no %zu bytes (%s): copies to the GPU and back use ordinary memory\n",
                bytes, cudaGetErrorName(status));
    is_said = true;
    return NULL;
}

static bool is_pinned(const float *floats) {
    struct cudaPointerAttributes attributes;
    check_error(cudaPointerGetAttributes(&attributes, floats));
    return attributes.type == cudaMemoryTypeHost;
}
#endif

float *make_pinned_floats(size_t count) {
#ifdef GPU
    float *pinned = gpu_index >= 0 && count ? pin(count * sizeof *pinned) : NULL;
    if (pinned)
        return pinned;
#endif
    return allocate(count, sizeof(float));
}

void free_pinned_floats(float *floats) {
#ifdef GPU
    if (gpu_index >= 0 && floats && is_pinned(floats)) {
        check_error(cudaFreeHost(floats));
        return;
    }
#endif
    free(floats);
}
