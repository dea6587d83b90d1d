/* [convolutional]: the library's convolution; normalization and activation in passes of our own,
 * because the host's differ from the library's: variance with n - 1, .000001 beside the root in
 * the forward pass and .00001 under it in the backward pass. */
#include "backend.h"

#include "fail.h"
#include "sgd_step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANNEL_ARRAYS = 9 };
static const float FORWARD_EPSILON = .000001f;
static const float BACKWARD_EPSILON = .00001f;
static const float KEEP = .99f; /* of the rolling statistics, each batch */
static const float TAKE = .01f;

/* ---- set-up ---- */

void make_channel_stats(cpu_backend *b, int filters) {
    size_t padded = ((size_t)filters + 15) / 16 * 16;
    float *at = aligned_floats(padded * CHANNEL_ARRAYS);
    channel_stats *st = &b->stats;
    float **arrays[CHANNEL_ARRAYS] = {&st->mean,     &st->variance,  &st->scale,
                                      &st->shift,    &st->by_delta,  &st->by_x,
                                      &st->constant, &st->sum_delta, &st->sum_delta_x};
    b->stats_memory = at;
    for (int i = 0; i < CHANNEL_ARRAYS; i++, at += padded)
        *arrays[i] = at;
}

static conv_shape shape_of(const layer *l, const cpu_backend *b, int plain_input) {
    return (conv_shape){.batch = l->batch,
                        .groups = l->groups,
                        .in_channels = l->c,
                        .in_height = l->h,
                        .in_width = l->w,
                        .out_channels = l->n,
                        .out_height = l->out_h,
                        .out_width = l->out_w,
                        .size = l->size,
                        .stride = l->stride,
                        .pad = l->pad,
                        .block = b->net->block,
                        .plain_input = plain_input,
                        .first = b->first,
                        .with_bias = !l->batch_normalize,
                        .slope = b->slope};
}

conv_primitives *make_conv_primitives(const layer *l, const cpu_backend *b, int plain_input) {
    conv_shape shape = shape_of(l, b, plain_input);
    return conv_primitives_create(&shape);
}

/* For a size that came with resize_network() and that the library is not good at. */
static conv_primitives *make_slow_primitives(const layer *l, const cpu_backend *b) {
    conv_shape shape = shape_of(l, b, b->plain_input);
    shape.reference_too = 1;
    fprintf(stderr, "oneDNN has no fast kernel for a convolution of %d x %d x %d, batch %d\n", l->w,
            l->h, l->c, l->batch);
    conv_primitives *made = conv_primitives_create(&shape);
    if (!made)
        fail(
            "oneDNN has no kernel for a convolution of %d x %d x %d, batch %d; build with ONEDNN=0",
            l->w, l->h, l->c, l->batch);
    return made;
}

static void make_buffers(layer l) {
    cpu_backend *b = l.cpu;
    b->conv = make_conv_primitives(&l, b, b->plain_input);
    if (!b->conv)
        b->conv = make_slow_primitives(&l, b);
    if (l.batch_normalize)
        b->x = aligned_floats(blocked_floats(b->out));
    if (!b->leave_to_next)
        b->output = aligned_floats(blocked_floats(b->out));
}

/* ---- forward ---- */

static void roll_statistics(layer l) {
    const channel_stats *st = &l.cpu->stats;
    for (int i = 0; i < l.n; i++) {
        l.mean[i] = st->mean[i];
        l.variance[i] = st->variance[i];
        l.rolling_mean[i] = KEEP * l.rolling_mean[i] + TAKE * st->mean[i];
        l.rolling_variance[i] = KEEP * l.rolling_variance[i] + TAKE * st->variance[i];
    }
}

static void find_statistics(layer l, network net) {
    cpu_backend *b = l.cpu;
    channel_stats *st = &b->stats;
    if (net.train) {
        blocked_moments(b->out, b->x, partial_sums(b->net, b->out), *st);
        roll_statistics(l);
    }
    for (int i = 0; i < l.n; i++) {
        if (!net.train) {
            st->mean[i] = l.rolling_mean[i];
            st->variance[i] = l.rolling_variance[i];
        }
        st->scale[i] = l.scales[i] / (sqrtf(st->variance[i]) + FORWARD_EPSILON);
        st->shift[i] = l.biases[i];
    }
}

static const float *conv_input(layer l, network net) {
    return l.cpu->plain_input ? net.input : blocked_input(l, net);
}

void forward_conv_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (shape_changed(l))
        make_buffers(l);
    begin_forward(l, net);
    b->summed = 0;
    float *result = l.batch_normalize ? b->x : b->output;
    conv_forward(b->conv, conv_input(l, net), l.weights, l.biases, result);
    if (l.batch_normalize)
        find_statistics(l, net);
    if (b->leave_to_next && net.index < net.n - 1)
        return;
    if (!b->output) /* a network cut short here */
        b->output = aligned_floats(blocked_floats(b->out));
    if (l.batch_normalize)
        blocked_normalize(b->out, b->x, b->stats, NULL, b->slope, b->output);
    end_forward(l, net);
}

/* ---- backward ---- */

/* Gradients of biases and scales, and what takes the gradient through the normalization. */
static void go_back_through_statistics(layer l) {
    channel_stats *st = &l.cpu->stats;
    float count = (float)l.batch * (float)(l.out_h * l.out_w);
    for (int i = 0; i < l.n; i++) {
        float under = st->variance[i] + BACKWARD_EPSILON;
        float by = l.scales[i] / sqrtf(under);
        l.bias_updates[i] += st->sum_delta[i];
        l.scale_updates[i] += st->sum_delta_x[i] / (sqrtf(st->variance[i]) + FORWARD_EPSILON);
        st->by_delta[i] = by;
        st->by_x[i] = -by / under * st->sum_delta_x[i] / count;
        st->constant[i] = -by * st->sum_delta[i] / count;
    }
}

/* Takes over the caller's holds; the gradient of the convolution's result. */
static pool_buffer *back_normalized(layer l, pool_buffer *delta, pool_buffer *more) {
    cpu_backend *b = l.cpu;
    size_t floats = blocked_floats(b->out);
    int masked = 0;
    if (!b->summed && more) {
        pool_buffer *sum = buffer_to_overwrite(b->net, delta, floats);
        blocked_gradient(b->out, delta->data, more->data, b->x, NULL, b->slope,
                         partial_sums(b->net, b->out), b->stats, sum->data);
        pool_drop(delta);
        pool_drop(more);
        delta = sum;
    } else if (!b->summed) {
        blocked_gradient(b->out, delta->data, NULL, b->x, NULL, b->slope,
                         partial_sums(b->net, b->out), b->stats, NULL);
        masked = b->slope != 1;
    }
    go_back_through_statistics(l);
    pool_buffer *result = buffer_to_overwrite(b->net, delta, floats);
    blocked_input_gradient(b->out, delta->data, b->x, b->stats, b->slope, masked, result->data);
    pool_drop(delta);
    return result;
}

static pool_buffer *back_biased(layer l, pool_buffer *delta, pool_buffer *more) {
    cpu_backend *b = l.cpu;
    pool_buffer *result = buffer_to_overwrite(b->net, delta, blocked_floats(b->out));
    blocked_gradient(b->out, delta->data, more ? more->data : NULL, NULL, b->output, b->slope,
                     partial_sums(b->net, b->out), b->stats, result->data);
    for (int i = 0; i < l.n; i++)
        l.bias_updates[i] += b->stats.sum_delta[i];
    pool_drop(delta);
    pool_drop(more);
    return result;
}

void backward_conv_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    delta = l.batch_normalize ? back_normalized(l, delta, more) : back_biased(l, delta, more);
    const float *input = b->plain_input ? net.input : b->input ? b->input : blocked_input(l, net);
    conv_backward_weights(b->conv, input, delta->data, l.weight_updates);
    if (wants_gradient(net, net.index - 1)) {
        pool_buffer *input_delta = pool_take(b->net->pool, blocked_floats(b->in));
        conv_backward_data(b->conv, l.weights, delta->data, input_delta->data);
        give_gradient(net, net.index - 1, b->in, input_delta);
    }
    pool_drop(delta);
}

/* ---- update ---- */

void update_conv_cpu(layer l, update_args a) {
    float rate = a.learning_rate * l.learning_rate_scale / (float)a.batch;
    sgd_step(l.n, rate, 0, a.momentum, l.biases, l.bias_updates);
    if (l.scales)
        sgd_step(l.n, rate, 0, a.momentum, l.scales, l.scale_updates);
    sgd_step(l.nweights, rate, a.decay * (float)a.batch, a.momentum, l.weights, l.weight_updates);
}
