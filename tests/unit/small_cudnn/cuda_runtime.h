/* What small_cudnn's headers need of CUDA's. */
#ifndef SMALL_CUDA_RUNTIME_H
#define SMALL_CUDA_RUNTIME_H

typedef int cudaError_t;
typedef struct small_stream *cudaStream_t;

#endif
