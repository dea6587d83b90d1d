/* cuDNN's batch normalization in training, over a channel's values of all images. The batch's own
 * variance is divided by their number, the running one by one less. */
#include "dnn.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    float alpha, beta;
} factors;

typedef struct {
    struct emulated_tensor shape;
    factors f;
    const float *x, *scale, *bias;
    float *y, *running_mean, *running_variance, *mean, *inverse_deviation;
    double factor, epsilon;
} forward_pass;

typedef struct {
    struct emulated_tensor shape;
    factors data, parameters;
    const float *x, *dy, *scale, *mean, *inverse_deviation;
    float *dx, *dscale, *dbias;
} backward_pass;

static int pixels_of(const struct emulated_tensor *t) {
    return t->h * t->w;
}

static int values_of(const struct emulated_tensor *t) {
    return t->n * pixels_of(t);
}

/* Where the value number i of a channel lies. */
static size_t place(const struct emulated_tensor *t, int channel, int i) {
    int pixels = pixels_of(t);
    return ((size_t)(i / pixels) * (size_t)t->c + (size_t)channel) * (size_t)pixels +
           (size_t)(i % pixels);
}

static float mixed(factors f, double value, float before) {
    return (float)(f.alpha * value + (f.beta != 0 ? (double)f.beta * before : 0));
}

static void normalize_channel(const forward_pass *p, int channel) {
    const struct emulated_tensor *t = &p->shape;
    int count = values_of(t);
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++)
        sum += p->x[place(t, channel, i)];
    double mean = sum / count;
    for (int i = 0; i < count; i++) {
        double off = p->x[place(t, channel, i)] - mean;
        squares += off * off;
    }
    double variance = squares / count, inverse = 1 / sqrt(variance + p->epsilon);
    for (int i = 0; i < count; i++) {
        size_t at = place(t, channel, i);
        double value = (p->x[at] - mean) * inverse * p->scale[channel] + p->bias[channel];
        p->y[at] = mixed(p->f, value, p->y[at]);
    }
    double unbiased = count > 1 ? squares / (count - 1) : variance, old = 1 - p->factor;
    p->running_mean[channel] = (float)(old * p->running_mean[channel] + p->factor * mean);
    p->running_variance[channel] =
        (float)(old * p->running_variance[channel] + p->factor * unbiased);
    p->mean[channel] = (float)mean;
    p->inverse_deviation[channel] = (float)inverse;
}

static void run_forward(void *arguments) {
    const forward_pass *p = arguments;
    for (int channel = 0; channel < p->shape.c; channel++)
        normalize_channel(p, channel);
}

static void differentiate_channel(const backward_pass *p, int channel) {
    const struct emulated_tensor *t = &p->shape;
    int count = values_of(t);
    double mean = p->mean[channel], inverse = p->inverse_deviation[channel], sum = 0, products = 0;
    for (int i = 0; i < count; i++) {
        size_t at = place(t, channel, i);
        sum += p->dy[at];
        products += p->dy[at] * (p->x[at] - mean) * inverse;
    }
    for (int i = 0; i < count; i++) {
        size_t at = place(t, channel, i);
        double normal = (p->x[at] - mean) * inverse,
               value = p->scale[channel] * inverse *
                       (p->dy[at] - sum / count - normal * products / count);
        p->dx[at] = mixed(p->data, value, p->dx[at]);
    }
    p->dscale[channel] = mixed(p->parameters, products, p->dscale[channel]);
    p->dbias[channel] = mixed(p->parameters, sum, p->dbias[channel]);
}

static void run_backward(void *arguments) {
    const backward_pass *p = arguments;
    for (int channel = 0; channel < p->shape.c; channel++)
        differentiate_channel(p, channel);
}

static factors factors_of(const void *alpha, const void *beta) {
    return (factors){*(const float *)alpha, *(const float *)beta};
}

static void need_all(const void *const *arrays, size_t count) {
    enter();
    for (size_t i = 0; i < count; i++)
        need_device_memory(arrays[i], "cuDNN");
    leave(cudaSuccess);
}

static bool is_supported(cudnnBatchNormMode_t mode, const struct emulated_tensor *x,
                         const struct emulated_tensor *y,
                         const struct emulated_tensor *parameters) {
    return mode == CUDNN_BATCHNORM_SPATIAL && x->type == CUDNN_DATA_FLOAT &&
           x->format == CUDNN_TENSOR_NCHW && y->type == x->type && y->format == x->format &&
           x->n == y->n && x->c == y->c && x->h == y->h && x->w == y->w && parameters->n == 1 &&
           parameters->c == x->c && parameters->h == 1 && parameters->w == 1;
}

cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t x_shape, const void *x, cudnnTensorDescriptor_t y_shape, void *y,
    cudnnTensorDescriptor_t parameters, const void *scale, const void *bias, double factor,
    void *running_mean, void *running_variance, double epsilon, void *saved_mean,
    void *saved_inverse_deviation) {
    if (!is_supported(mode, x_shape, y_shape, parameters))
        return CUDNN_STATUS_BAD_PARAM;
    forward_pass p = {*x_shape,
                      factors_of(alpha, beta),
                      x,
                      scale,
                      bias,
                      y,
                      running_mean,
                      running_variance,
                      saved_mean,
                      saved_inverse_deviation,
                      factor,
                      epsilon};
    const void *arrays[] = {
        x, y, scale, bias, running_mean, running_variance, saved_mean, saved_inverse_deviation};
    need_all(arrays, sizeof arrays / sizeof *arrays);
    return put_dnn_work(handle, run_forward, kept(&p, sizeof p));
}

cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha_data, const void *beta_data,
    const void *alpha_parameters, const void *beta_parameters, cudnnTensorDescriptor_t x_shape,
    const void *x, cudnnTensorDescriptor_t dy_shape, const void *dy,
    cudnnTensorDescriptor_t dx_shape, void *dx, cudnnTensorDescriptor_t parameters,
    const void *scale, void *dscale, void *dbias, double epsilon, const void *saved_mean,
    const void *saved_inverse_deviation) {
    (void)epsilon;
    if (!is_supported(mode, x_shape, dy_shape, parameters) ||
        !is_supported(mode, x_shape, dx_shape, parameters))
        return CUDNN_STATUS_BAD_PARAM;
    backward_pass p = {*x_shape,
                       factors_of(alpha_data, beta_data),
                       factors_of(alpha_parameters, beta_parameters),
                       x,
                       dy,
                       scale,
                       saved_mean,
                       saved_inverse_deviation,
                       dx,
                       dscale,
                       dbias};
    const void *arrays[] = {x, dy, dx, scale, dscale, dbias, saved_mean, saved_inverse_deviation};
    need_all(arrays, sizeof arrays / sizeof *arrays);
    return put_dnn_work(handle, run_backward, kept(&p, sizeof p));
}
