#include "convolution_algorithms.h"

#ifdef CUDNN
#include "fail.h"
#include "gpu_status.h"
#include "half_convolution.h"

/* The host's resize_network() allows no more. */
static const size_t MOST_WORKSPACE = 2000000000;

enum { MOST_RESULTS = 32 }; /* with their math types cuDNN has fewer */

static _Noreturn void fail_without(const layer *l, const char *pass) {
    fail("cuDNN has no algorithm for the %s of a convolution of %d x %d / %d, %d x %d x %d to %d "
         "channels, batch %d, in %zu bytes",
         pass, l->size, l->size, l->stride, l->w, l->h, l->c, l->n, l->batch, MOST_WORKSPACE);
}

static void need_workspace(layer *l, size_t bytes) {
    if (bytes > l->workspace_size)
        l->workspace_size = bytes;
}

/* The output of the forward pass is described by ddstTensorDesc, which is as dstTensorDesc but for
 * layers in 16 bits, where that one is what batch normalization takes. */

/* A result may be for another math type than the layer's descriptor has; so the size is asked for
 * with what will run, and what cannot run is passed over. */

static void pick_forward(layer *l, cudnnHandle_t handle) {
    cudnnConvolutionFwdAlgoPerf_t results[MOST_RESULTS];
    int count = 0;
    if (l->cudnn_benchmark)
        check_cudnn(cudnnFindConvolutionForwardAlgorithm(handle, l->srcTensorDesc, l->weightDesc,
                                                         l->convDesc, l->ddstTensorDesc,
                                                         MOST_RESULTS, &count, results));
    else
        check_cudnn(cudnnGetConvolutionForwardAlgorithm_v7(handle, l->srcTensorDesc, l->weightDesc,
                                                           l->convDesc, l->ddstTensorDesc,
                                                           MOST_RESULTS, &count, results));
    for (int i = 0; i < count; i++) {
        size_t bytes = 0;
        if (results[i].status != CUDNN_STATUS_SUCCESS ||
            cudnnGetConvolutionForwardWorkspaceSize(handle, l->srcTensorDesc, l->weightDesc,
                                                    l->convDesc, l->ddstTensorDesc, results[i].algo,
                                                    &bytes) != CUDNN_STATUS_SUCCESS ||
            bytes > MOST_WORKSPACE)
            continue;
        l->fw_algo = results[i].algo;
        need_workspace(l, bytes);
        return;
    }
    fail_without(l, "forward pass");
}

static void pick_backward_data(layer *l, cudnnHandle_t handle) {
    cudnnConvolutionBwdDataAlgoPerf_t results[MOST_RESULTS];
    int count = 0;
    if (l->cudnn_benchmark)
        check_cudnn(cudnnFindConvolutionBackwardDataAlgorithm(
            handle, l->weightDesc, l->ddstTensorDesc, l->convDesc, l->dsrcTensorDesc, MOST_RESULTS,
            &count, results));
    else
        check_cudnn(cudnnGetConvolutionBackwardDataAlgorithm_v7(
            handle, l->weightDesc, l->ddstTensorDesc, l->convDesc, l->dsrcTensorDesc, MOST_RESULTS,
            &count, results));
    for (int i = 0; i < count; i++) {
        size_t bytes = 0;
        if (results[i].status != CUDNN_STATUS_SUCCESS ||
            cudnnGetConvolutionBackwardDataWorkspaceSize(
                handle, l->weightDesc, l->ddstTensorDesc, l->convDesc, l->dsrcTensorDesc,
                results[i].algo, &bytes) != CUDNN_STATUS_SUCCESS ||
            bytes > MOST_WORKSPACE)
            continue;
        l->bd_algo = results[i].algo;
        need_workspace(l, bytes);
        return;
    }
    fail_without(l, "gradient of the input");
}

static void pick_backward_filter(layer *l, cudnnHandle_t handle) {
    cudnnConvolutionBwdFilterAlgoPerf_t results[MOST_RESULTS];
    int count = 0;
    if (l->cudnn_benchmark)
        check_cudnn(cudnnFindConvolutionBackwardFilterAlgorithm(
            handle, l->srcTensorDesc, l->ddstTensorDesc, l->convDesc, l->dweightDesc, MOST_RESULTS,
            &count, results));
    else
        check_cudnn(cudnnGetConvolutionBackwardFilterAlgorithm_v7(
            handle, l->srcTensorDesc, l->ddstTensorDesc, l->convDesc, l->dweightDesc, MOST_RESULTS,
            &count, results));
    for (int i = 0; i < count; i++) {
        size_t bytes = 0;
        if (results[i].status != CUDNN_STATUS_SUCCESS ||
            cudnnGetConvolutionBackwardFilterWorkspaceSize(
                handle, l->srcTensorDesc, l->ddstTensorDesc, l->convDesc, l->dweightDesc,
                results[i].algo, &bytes) != CUDNN_STATUS_SUCCESS ||
            bytes > MOST_WORKSPACE)
            continue;
        l->bf_algo = results[i].algo;
        need_workspace(l, bytes);
        return;
    }
    fail_without(l, "gradient of the weights");
}

void pick_convolution_algorithms(layer *l, cudnnHandle_t handle) {
    if (l->half)
        describe_half_convolution(l);
    else if (l->strict_float32)
        check_cudnn(cudnnSetConvolutionMathType(l->convDesc, CUDNN_FMA_MATH));
    l->workspace_size = 0;
    pick_forward(l, handle);
    pick_backward_data(l, handle);
    pick_backward_filter(l, handle);
    l->workspace_size += half_copies_bytes(l);
}
#endif
