#include "layer_ends_gpu.h"

#ifdef GPU
#include "batchnorm_kernels.h"
#include "bias_kernels.h"
#include "fused_batchnorm.h"
#include "gpu_status.h"
#include "layer_slope.h"

static unsigned pixels_of(const layer *l) {
    return (unsigned)(l->out_w * l->out_h);
}

/* ---- batch normalisation ---- */

int has_products_in_x(const layer *l) {
    return (l->type == CONVOLUTIONAL || l->type == CONNECTED) && l->batch_normalize;
}

/* What a layer normalises. */
static const float *values_to_normalise(const layer *l, const network *net) {
    if (l->type == BATCHNORM)
        return net->input_gpu;
    return has_products_in_x(l) ? l->x_gpu : l->output_gpu;
}

static void normalise_by_rolling(const layer *l, const network *net, activation_slope slope) {
    rolling_batchnorm_pass pass = {.x = values_to_normalise(l, net),
                                   .copy_of_x = has_products_in_x(l) ? NULL : l->x_gpu,
                                   .output = l->output_gpu,
                                   .mean = l->rolling_mean_gpu,
                                   .variance = l->rolling_variance_gpu,
                                   .scales = l->scales_gpu,
                                   .biases = l->biases_gpu,
                                   .rows = (unsigned)l->batch,
                                   .channels = (unsigned)l->out_c,
                                   .pixels = pixels_of(l),
                                   .slope = slope};
    check_error(launch_rolling_batchnorm(&pass));
}

static int normalise(const layer *l, const network *net, activation_slope slope) {
    if (net->train)
        return forward_fused_batchnorm(l, net, slope);
    normalise_by_rolling(l, net, slope);
    return 1;
}

int forward_whole_batchnorm_gpu(const layer *l, const network *net) {
    return normalise(l, net, SLOPE_LINEAR);
}

int backward_whole_batchnorm_gpu(const layer *l, const network *net) {
    return backward_fused_batchnorm(l, net, SLOPE_LINEAR);
}

/* ---- biases ---- */

static bool has_biases(const layer *l) {
    return l->type == CONNECTED || l->nbiases;
}

static bias_pass biases_of(const layer *l, activation_slope slope) {
    return (bias_pass){.biases = l->biases_gpu,
                       .bias_updates = l->bias_updates_gpu,
                       .output = l->output_gpu,
                       .delta = l->delta_gpu,
                       .rows = (unsigned)l->batch,
                       .channels = (unsigned)l->out_c,
                       .pixels = pixels_of(l),
                       .slope = slope};
}

/* ---- the seams ---- */

int finish_outputs_gpu(const layer *l, const network *net) {
    activation_slope slope;
    if (!find_slope(l->activation, &slope))
        return 0;
    if (l->batch_normalize)
        return normalise(l, net, slope);
    if (!has_biases(l))
        return 0;
    bias_pass pass = biases_of(l, slope);
    check_error(launch_forward_bias(&pass));
    return 1;
}

int begin_deltas_gpu(const layer *l, const network *net) {
    activation_slope slope;
    if (!find_slope(l->activation, &slope))
        return 0;
    if (l->batch_normalize)
        return backward_fused_batchnorm(l, net, slope);
    if (!has_biases(l) ||
        pixels_of(l) > 1) /* the host's kernel for all values fills a card better */
        return 0;
    bias_pass pass = biases_of(l, slope);
    check_error(launch_backward_bias(&pass));
    return 1;
}
#endif
