/* Whether cuBLAS may round the factors of a matrix product to TF32. GPU builds only.
 *
 * TF32 keeps float32's range and 10 bits of its fraction; sums stay float32. Cards before compute
 * capability 8.0 have none and compute in float32 in either case. */
#ifndef MATRIX_MATH_H
#define MATRIX_MATH_H

#ifdef GPU
#include <cublas_v2.h>

/* Host seam: for products of this handle from now on. `strict` 0: TF32 where the card has it; else
 * float32. Costs no synchronisation. Source: cublasSetMathMode() in cuBLAS's manual. */
void set_matrix_math(cublasHandle_t handle, int strict);
#endif

#endif
