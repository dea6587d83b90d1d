/* What small_cudnn's headers need of cuBLAS's. */
#ifndef SMALL_CUBLAS_H
#define SMALL_CUBLAS_H

typedef int cublasStatus_t;
typedef struct small_blas *cublasHandle_t;

#endif
