/* Rows that lie at a distance from each other, from one array to another. */
#ifndef ROW_KERNELS_H
#define ROW_KERNELS_H

#include <stddef.h>

/* Both arrays are on the device and do not overlap. */
typedef struct {
    const float *from; /* `rows` of `width` floats, one every from_stride floats */
    float *to;         /* the same, one every to_stride floats */
    size_t rows, width, from_stride, to_stride;
} rows_pass;

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); `rows` and `width` are not 0. Neither waits; both return what the launch
 * answers.
 */
cudaError_t launch_copy_rows(const rows_pass *pass);
cudaError_t launch_add_rows(const rows_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
