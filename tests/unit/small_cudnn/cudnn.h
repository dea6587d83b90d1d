/* As much of cuDNN's interface as convolution_algorithms.c and half_convolution.c use, for a test
 * that runs them on the CPU and defines these functions itself. Names and orders of arguments are
 * cuDNN's; so are the meanings, as its manual has them. */
#ifndef SMALL_CUDNN_H
#define SMALL_CUDNN_H

#include <stddef.h>

#define CUDNN_VERSION 8100

typedef enum { CUDNN_STATUS_SUCCESS, CUDNN_STATUS_NOT_SUPPORTED } cudnnStatus_t;
typedef enum { CUDNN_DATA_FLOAT, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16 } cudnnDataType_t;
typedef enum { CUDNN_TENSOR_NCHW, CUDNN_TENSOR_NHWC } cudnnTensorFormat_t;
typedef enum { CUDNN_DEFAULT_MATH, CUDNN_TENSOR_OP_MATH, CUDNN_FMA_MATH } cudnnMathType_t;
typedef int cudnnConvolutionFwdAlgo_t, cudnnConvolutionBwdDataAlgo_t,
    cudnnConvolutionBwdFilterAlgo_t;

typedef struct {
    int algo;
    cudnnStatus_t status;
} cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionBwdDataAlgoPerf_t,
    cudnnConvolutionBwdFilterAlgoPerf_t;

/* Of images or of filters. */
typedef struct small_array {
    cudnnDataType_t type;
    cudnnTensorFormat_t format;
    int n, c, h, w;
} * cudnnTensorDescriptor_t, *cudnnFilterDescriptor_t;

typedef struct small_convolution {
    int pad, stride;
    cudnnMathType_t math;
} * cudnnConvolutionDescriptor_t;

typedef struct small_handle *cudnnHandle_t;

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t, cudnnTensorFormat_t,
                                         cudnnDataType_t, int n, int c, int h, int w);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t, cudnnDataType_t,
                                         cudnnTensorFormat_t, int k, int c, int h, int w);
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t);

#define SMALL_SEARCH(name, first, second, third, fourth, perf)                                     \
    cudnnStatus_t name(cudnnHandle_t, first, second, third, fourth, int, int *, perf *)
SMALL_SEARCH(cudnnFindConvolutionForwardAlgorithm, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
             cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t);
SMALL_SEARCH(cudnnGetConvolutionForwardAlgorithm_v7, cudnnTensorDescriptor_t,
             cudnnFilterDescriptor_t, cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t,
             cudnnConvolutionFwdAlgoPerf_t);
SMALL_SEARCH(cudnnFindConvolutionBackwardDataAlgorithm, cudnnFilterDescriptor_t,
             cudnnTensorDescriptor_t, cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t,
             cudnnConvolutionBwdDataAlgoPerf_t);
SMALL_SEARCH(cudnnGetConvolutionBackwardDataAlgorithm_v7, cudnnFilterDescriptor_t,
             cudnnTensorDescriptor_t, cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t,
             cudnnConvolutionBwdDataAlgoPerf_t);
SMALL_SEARCH(cudnnFindConvolutionBackwardFilterAlgorithm, cudnnTensorDescriptor_t,
             cudnnTensorDescriptor_t, cudnnConvolutionDescriptor_t, cudnnFilterDescriptor_t,
             cudnnConvolutionBwdFilterAlgoPerf_t);
SMALL_SEARCH(cudnnGetConvolutionBackwardFilterAlgorithm_v7, cudnnTensorDescriptor_t,
             cudnnTensorDescriptor_t, cudnnConvolutionDescriptor_t, cudnnFilterDescriptor_t,
             cudnnConvolutionBwdFilterAlgoPerf_t);

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w,
                                                      cudnnConvolutionDescriptor_t,
                                                      cudnnTensorDescriptor_t y,
                                                      cudnnConvolutionFwdAlgo_t, size_t *bytes);
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, cudnnFilterDescriptor_t w,
                                                           cudnnTensorDescriptor_t dy,
                                                           cudnnConvolutionDescriptor_t,
                                                           cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t,
                                                           size_t *bytes);
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t dy,
    cudnnConvolutionDescriptor_t, cudnnFilterDescriptor_t dw, cudnnConvolutionBwdFilterAlgo_t,
    size_t *bytes);

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void *alpha, cudnnTensorDescriptor_t,
                                      const void *x, cudnnFilterDescriptor_t, const void *w,
                                      cudnnConvolutionDescriptor_t, cudnnConvolutionFwdAlgo_t,
                                      void *workspace, size_t bytes, const void *beta,
                                      cudnnTensorDescriptor_t, void *y);
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void *alpha,
                                           cudnnFilterDescriptor_t, const void *w,
                                           cudnnTensorDescriptor_t, const void *dy,
                                           cudnnConvolutionDescriptor_t,
                                           cudnnConvolutionBwdDataAlgo_t, void *workspace,
                                           size_t bytes, const void *beta, cudnnTensorDescriptor_t,
                                           void *dx);
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void *alpha,
                                             cudnnTensorDescriptor_t, const void *x,
                                             cudnnTensorDescriptor_t, const void *dy,
                                             cudnnConvolutionDescriptor_t,
                                             cudnnConvolutionBwdFilterAlgo_t, void *workspace,
                                             size_t bytes, const void *beta,
                                             cudnnFilterDescriptor_t, void *dw);

#endif
