#include "gpu_status.h"

#ifdef GPU
#include "fail.h"

void check_cuda_status(cudaError_t status, const char *file, int line) {
    cudaError_t earlier = cudaGetLastError();
    if (status == cudaSuccess)
        status = earlier;
    if (status != cudaSuccess)
        fail("%s:%d: CUDA says %s: %s", file, line, cudaGetErrorName(status),
             cudaGetErrorString(status));
}

void check_cublas_status(cublasStatus_t status, const char *file, int line) {
    if (status != CUBLAS_STATUS_SUCCESS)
        fail("%s:%d: cuBLAS says %s", file, line, cublasGetStatusName(status));
}

/* cuRAND has no function for it. */
static const char *curand_status_name(curandStatus_t status) {
#define NAME(status)                                                                               \
    case status:                                                                                   \
        return #status
    switch (status) {
        NAME(CURAND_STATUS_SUCCESS);
        NAME(CURAND_STATUS_VERSION_MISMATCH);
        NAME(CURAND_STATUS_NOT_INITIALIZED);
        NAME(CURAND_STATUS_ALLOCATION_FAILED);
        NAME(CURAND_STATUS_TYPE_ERROR);
        NAME(CURAND_STATUS_OUT_OF_RANGE);
        NAME(CURAND_STATUS_LENGTH_NOT_MULTIPLE);
        NAME(CURAND_STATUS_DOUBLE_PRECISION_REQUIRED);
        NAME(CURAND_STATUS_LAUNCH_FAILURE);
        NAME(CURAND_STATUS_PREEXISTING_FAILURE);
        NAME(CURAND_STATUS_INITIALIZATION_FAILED);
        NAME(CURAND_STATUS_ARCH_MISMATCH);
        NAME(CURAND_STATUS_INTERNAL_ERROR);
    default:
        return "an unknown status";
    }
#undef NAME
}

void check_curand_status(curandStatus_t status, const char *file, int line) {
    if (status != CURAND_STATUS_SUCCESS)
        fail("%s:%d: cuRAND says %s (%d)", file, line, curand_status_name(status), (int)status);
}

#ifdef CUDNN
void check_cudnn_status(cudnnStatus_t status, const char *file, int line) {
    if (status != CUDNN_STATUS_SUCCESS)
        fail("%s:%d: cuDNN says %s", file, line, cudnnGetErrorString(status));
}
#endif

#ifdef DLB_NCCL
void check_nccl_status(ncclResult_t status, const char *file, int line) {
    if (status != ncclSuccess && status != ncclInProgress)
        fail("%s:%d: NCCL says %s: %s", file, line, ncclGetErrorString(status),
             ncclGetLastError(NULL));
    cudaGetLastError(); /* of what NCCL has tried and does without; the next check would find it */
}
#endif
#endif
