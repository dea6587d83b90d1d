#include "matrix_math.h"

#ifdef GPU
#include "cuda.h"
#include "gpu_status.h"

void set_matrix_math(int strict) {
    check_cublas(cublasSetMathMode(blas_handle(),
                                   strict ? CUBLAS_DEFAULT_MATH : CUBLAS_TF32_TENSOR_OP_MATH));
}
#endif
