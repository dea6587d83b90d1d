/* cuBLAS, by OpenBLAS. */
#include "cublas_v2.h"
#include "emulation.h"

#include <cblas.h>
#include <stdlib.h>

struct emulated_blas {
    cudaStream_t stream;
};

const char *cublasGetStatusName(cublasStatus_t status) {
    return status == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS"
                                           : "CUBLAS_STATUS_INVALID_VALUE";
}

cublasStatus_t cublasCreate(cublasHandle_t *handle) {
    *handle = zeroed(sizeof **handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes) {
    bool valid;
    enter();
    bool is_ours = kind_of_memory(workspace, bytes, &valid) == ON_DEVICE && valid;
    leave(cudaSuccess);
    return handle && is_ours ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    (void)mode; /* products are of float32 in any case */
    return handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

typedef struct {
    CBLAS_TRANSPOSE ta, tb;
    int m, n, k, lda, ldb, ldc;
    float alpha, beta;
    const float *a, *b;
    float *c;
} product;

static void run_product(void *arguments) {
    const product *p = arguments;
    cblas_sgemm(CblasColMajor, p->ta, p->tb, p->m, p->n, p->k, p->alpha, p->a, p->lda, p->b, p->ldb,
                p->beta, p->c, p->ldc);
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,
                           int n, int k, const float *alpha, const float *a, int lda,
                           const float *b, int ldb, const float *beta, float *c, int ldc) {
    if (m < 0 || n < 0 || k < 0 || lda < (ta == CUBLAS_OP_N ? m : k) ||
        ldb < (tb == CUBLAS_OP_N ? k : n) || ldc < m)
        return CUBLAS_STATUS_INVALID_VALUE;
    product *p = zeroed(sizeof *p);
    *p = (product){ta == CUBLAS_OP_N ? CblasNoTrans : CblasTrans,
                   tb == CUBLAS_OP_N ? CblasNoTrans : CblasTrans,
                   m,
                   n,
                   k,
                   lda,
                   ldb,
                   ldc,
                   *alpha,
                   *beta,
                   a,
                   b,
                   c};
    enter();
    count_call(LIBRARY_CALLS);
    need_device_memory(a, "cuBLAS");
    need_device_memory(b, "cuBLAS");
    need_device_memory(c, "cuBLAS");
    cudaError_t status = put_work(handle->stream, (work){run_product, NULL, p});
    return leave(status) == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
