/* [convolutional]: the library's convolution; normalization (see normalization.h) and activation in
 * passes of our own. */
#include "backend.h"

#include "fail.h"
#include "normalization.h"
#include "sgd_step.h"

#include <stdio.h>

/* ---- set-up ---- */

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
        find_statistics(l, net, b->x);
    if (b->leave_to_next && net.index < net.n - 1)
        return;
    if (!b->output) /* a network cut short here */
        b->output = aligned_floats(blocked_floats(b->out));
    if (l.batch_normalize)
        blocked_normalize(b->out, b->x, b->stats, NULL, b->slope, b->output);
    end_forward(l, net);
}

/* ---- backward ---- */

static pool_buffer *back_biased(layer l, pool_buffer *delta, pool_buffer *more) {
    cpu_backend *b = l.cpu;
    pool_buffer *result = buffer_to_overwrite(b->net, delta, blocked_floats(b->out));
    blocked_gradient(b->out, delta->data, more ? more->data : NULL, NULL, b->output, b->slope,
                     partial_sums(b->net, b->out), b->stats, result->data);
    for (int i = 0; i < l.nbiases; i++) /* none with bias=0 */
        l.bias_updates[i] += b->stats.sum_delta[i];
    pool_drop(delta);
    pool_drop(more);
    return result;
}

void backward_conv_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    delta = l.batch_normalize ? back_normalized(l, net, b->x, b->slope, delta, more)
                              : back_biased(l, delta, more);
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
