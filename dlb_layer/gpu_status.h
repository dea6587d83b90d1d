/* What CUDA and its libraries answer, checked: a call that went wrong ends the program with one
 * sentence that has the file, the line and the status's name. For C and CUDA; GPU builds only. */
#ifndef DLB_GPU_STATUS_H
#define DLB_GPU_STATUS_H

#ifdef GPU
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <curand.h>
#ifdef CUDNN
#include <cudnn.h>
#endif
#ifdef DLB_NCCL
#include <nccl.h>
#endif

#if defined(CUDNN) && CUDNN_VERSION < 8100
#error "CUDNN=1 needs cuDNN 8.1 or later."
#endif
#if defined(DLB_NCCL) && NCCL_VERSION_CODE < 21400
#error "NCCL=1 needs NCCL 2.14 or later."
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Each returns where the status is a success. check_cuda_status() also looks at the last error of
 * this thread, which a kernel's launch leaves behind, and clears it. Callable from any thread. */
void check_cuda_status(cudaError_t status, const char *file, int line);
void check_cublas_status(cublasStatus_t status, const char *file, int line);
void check_curand_status(curandStatus_t status, const char *file, int line);
#ifdef CUDNN
void check_cudnn_status(cudnnStatus_t status, const char *file, int line);
#define check_cudnn(call) check_cudnn_status(call, __FILE__, __LINE__)
#endif
#ifdef DLB_NCCL
/* That a call is still in progress is no error. Clears this thread's last error of CUDA's. */
void check_nccl_status(ncclResult_t status, const char *file, int line);
#define check_nccl(call) check_nccl_status(call, __FILE__, __LINE__)
#endif

#define check_error(call) check_cuda_status(call, __FILE__, __LINE__) /* the host's name for it */
#define check_cublas(call) check_cublas_status(call, __FILE__, __LINE__)
#define check_curand(call) check_curand_status(call, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif
#endif

#endif
