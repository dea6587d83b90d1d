/* The host's activations that kernels of ours know, and their gradients. For C and for CUDA. */
#ifndef ACTIVATION_SLOPE_H
#define ACTIVATION_SLOPE_H

#include "dlb_loss.h" /* DLB_FUNCTION */

typedef enum { SLOPE_LINEAR, SLOPE_RELU, SLOPE_LEAKY } activation_slope;

DLB_FUNCTION float activated(float x, activation_slope slope) {
    if (slope == SLOPE_RELU)
        return x * (x > 0);
    if (slope == SLOPE_LEAKY)
        return x > 0 ? x : .1f * x;
    return x;
}

/* Of the activation where `output` came out of it. */
DLB_FUNCTION float slope_at(float output, activation_slope slope) {
    if (slope == SLOPE_RELU)
        return output > 0;
    if (slope == SLOPE_LEAKY)
        return output > 0 ? 1 : .1f;
    return 1;
}

/* a * b, rounded. Else nvcc makes one instruction, with one rounding, of a product and a sum that
 * the host has in two kernels. */
DLB_FUNCTION float rounded_product(float a, float b) {
#ifdef __CUDA_ARCH__
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}

#endif
