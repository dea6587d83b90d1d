#include "matrix_math.h"

#ifdef GPU
#include "gpu_status.h"

void set_matrix_math(cublasHandle_t handle, int strict) {
    check_cublas(
        cublasSetMathMode(handle, strict ? CUBLAS_DEFAULT_MATH : CUBLAS_TF32_TENSOR_OP_MATH));
}
#endif
