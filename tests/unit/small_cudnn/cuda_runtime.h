/* What small_cudnn's headers, and the tests with them, need of CUDA's. */
#ifndef SMALL_CUDA_RUNTIME_H
#define SMALL_CUDA_RUNTIME_H

#include <stddef.h>

typedef int cudaError_t;
typedef struct small_stream *cudaStream_t;

cudaError_t cudaMalloc(void **memory, size_t size);
cudaError_t cudaFree(void *memory);

#endif
