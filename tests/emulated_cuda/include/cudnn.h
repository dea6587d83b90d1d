/* As much of cuDNN's interface as is used. See cuda_runtime.h. */
#ifndef EMULATED_CUDNN_H
#define EMULATED_CUDNN_H

#include "cuda_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CUDNN_MAJOR 9
#define CUDNN_VERSION 90000

typedef enum {
    CUDNN_STATUS_SUCCESS = 0,
    CUDNN_STATUS_BAD_PARAM = 2000,
    CUDNN_STATUS_NOT_SUPPORTED = 3000,
    CUDNN_STATUS_EXECUTION_FAILED = 5000
} cudnnStatus_t;

typedef enum { CUDNN_DATA_FLOAT = 0, CUDNN_DATA_HALF = 2, CUDNN_DATA_BFLOAT16 = 9 } cudnnDataType_t;
typedef enum { CUDNN_TENSOR_NCHW, CUDNN_TENSOR_NHWC } cudnnTensorFormat_t;
typedef enum { CUDNN_CONVOLUTION, CUDNN_CROSS_CORRELATION } cudnnConvolutionMode_t;
typedef enum {
    CUDNN_DEFAULT_MATH,
    CUDNN_TENSOR_OP_MATH,
    CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
    CUDNN_FMA_MATH
} cudnnMathType_t;
typedef enum { CUDNN_BATCHNORM_PER_ACTIVATION, CUDNN_BATCHNORM_SPATIAL } cudnnBatchNormMode_t;

typedef int cudnnConvolutionFwdAlgo_t, cudnnConvolutionBwdDataAlgo_t,
    cudnnConvolutionBwdFilterAlgo_t;

typedef struct {
    int algo;
    cudnnStatus_t status;
    float time;
    size_t memory;
    cudnnMathType_t mathType;
} cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionBwdDataAlgoPerf_t,
    cudnnConvolutionBwdFilterAlgoPerf_t;

typedef struct emulated_dnn *cudnnHandle_t;
typedef struct emulated_tensor *cudnnTensorDescriptor_t, *cudnnFilterDescriptor_t;
typedef struct emulated_convolution *cudnnConvolutionDescriptor_t;

const char *cudnnGetErrorString(cudnnStatus_t);
cudnnStatus_t cudnnCreate(cudnnHandle_t *);
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t);

/* ---- descriptors ---- */

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *);
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t);
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t, cudnnTensorFormat_t,
                                         cudnnDataType_t, int n, int c, int h, int w);
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *);
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t, cudnnDataType_t,
                                         cudnnTensorFormat_t, int k, int c, int h, int w);
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *);
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t);
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t,
                                              cudnnDataType_t);
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t, int groups);
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t);

/* ---- convolutions ---- */

#define EMULATED_SEARCH(name, first, second, fourth, perf)                                         \
    cudnnStatus_t name(cudnnHandle_t, first, second, cudnnConvolutionDescriptor_t, fourth,         \
                       int most, int *count, perf *results)
EMULATED_SEARCH(cudnnFindConvolutionForwardAlgorithm, cudnnTensorDescriptor_t,
                cudnnFilterDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t);
EMULATED_SEARCH(cudnnGetConvolutionForwardAlgorithm_v7, cudnnTensorDescriptor_t,
                cudnnFilterDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgoPerf_t);
EMULATED_SEARCH(cudnnFindConvolutionBackwardDataAlgorithm, cudnnFilterDescriptor_t,
                cudnnTensorDescriptor_t, cudnnTensorDescriptor_t,
                cudnnConvolutionBwdDataAlgoPerf_t);
EMULATED_SEARCH(cudnnGetConvolutionBackwardDataAlgorithm_v7, cudnnFilterDescriptor_t,
                cudnnTensorDescriptor_t, cudnnTensorDescriptor_t,
                cudnnConvolutionBwdDataAlgoPerf_t);
EMULATED_SEARCH(cudnnFindConvolutionBackwardFilterAlgorithm, cudnnTensorDescriptor_t,
                cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
                cudnnConvolutionBwdFilterAlgoPerf_t);
EMULATED_SEARCH(cudnnGetConvolutionBackwardFilterAlgorithm_v7, cudnnTensorDescriptor_t,
                cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
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

/* ---- batch normalization ---- */

cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t, cudnnBatchNormMode_t, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t, const void *x, cudnnTensorDescriptor_t, void *y,
    cudnnTensorDescriptor_t, const void *scale, const void *bias, double factor, void *running_mean,
    void *running_variance, double epsilon, void *saved_mean, void *saved_inverse_deviation);
cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t, cudnnBatchNormMode_t, const void *alpha_data, const void *beta_data,
    const void *alpha_parameters, const void *beta_parameters, cudnnTensorDescriptor_t,
    const void *x, cudnnTensorDescriptor_t, const void *dy, cudnnTensorDescriptor_t, void *dx,
    cudnnTensorDescriptor_t, const void *scale, void *dscale, void *dbias, double epsilon,
    const void *saved_mean, const void *saved_inverse_deviation);

#ifdef __cplusplus
}
#endif

#endif
