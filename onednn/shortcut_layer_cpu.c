/* [shortcut]: y = act(x + residual). Where the layer before it is a convolution with
 * normalization and no activation, its normalization is done in the same pass, and the sums that
 * its backward pass needs in the same pass as the gradient of `act`. */
#include "backend.h"
#include "blocked_pool.h"

static int stride_of(layer l) {
    return l.w / l.out_w;
}

static int is_resampled(layer l) {
    return l.w != l.out_w || l.c != l.out_c;
}

/* The other input in the shape of the output; *resampled is to be dropped. */
static const float *residual(layer l, network net, pool_buffer **resampled) {
    cpu_backend *b = l.cpu;
    const float *other = net.layers[l.index].cpu->output;
    *resampled = NULL;
    if (!is_resampled(l))
        return other;
    *resampled = pool_take(b->net->pool, blocked_floats(b->out));
    blocked_sample(b->in, other, b->out, stride_of(l), (*resampled)->data);
    return (*resampled)->data;
}

void forward_shortcut_cpu(layer l, network net) {
    cpu_backend *b = l.cpu, *previous = net.layers[net.index - 1].cpu;
    if (shape_changed(l))
        b->output = aligned_floats(blocked_floats(b->out));
    begin_forward(l, net);
    pool_buffer *resampled;
    const float *other = residual(l, net, &resampled);
    if (previous->leave_to_next)
        blocked_normalize(b->out, previous->x, previous->stats, other, b->slope, b->output);
    else
        blocked_add(b->out, previous->output, other, b->slope, b->output);
    pool_drop(resampled);
    end_forward(l, net);
}

/* Through the activation; takes over the caller's holds. */
static pool_buffer *back_through_activation(layer l, cpu_backend *previous, pool_buffer *delta,
                                            pool_buffer *more) {
    cpu_backend *b = l.cpu;
    if (b->slope == 1 && !more)
        return delta;
    pool_buffer *result = buffer_to_overwrite(b->net, delta, blocked_floats(b->out));
    previous->summed = previous->leave_to_next;
    blocked_gradient(b->out, delta->data, more ? more->data : NULL,
                     previous->leave_to_next ? previous->x : NULL, b->output, b->slope,
                     partial_sums(b->net, b->out),
                     previous->leave_to_next ? previous->stats : b->stats, result->data);
    pool_drop(delta);
    pool_drop(more);
    return result;
}

void backward_shortcut_cpu(layer l, network net) {
    cpu_backend *b = l.cpu, *previous = net.layers[net.index - 1].cpu;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    delta = back_through_activation(l, previous, delta, more);
    pool_buffer *other = delta;
    if (is_resampled(l)) {
        other = pool_take(b->net->pool, blocked_floats(b->in));
        blocked_spread(b->out, delta->data, b->in, stride_of(l), other->data);
    } else {
        pool_hold(delta);
    }
    give_gradient(net, net.index - 1, b->out, delta);
    give_gradient(net, l.index, b->in, other);
}
