/* [maxpool] and [avgpool]. */
#include "backend.h"
#include "blocked_pool.h"
#include "fail.h"

static pooling pooling_of(layer l) {
    return (pooling){l.size, l.stride, l.pad / 2};
}

void forward_maxpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (shape_changed(l)) {
        b->output = aligned_floats(blocked_floats(b->out));
        b->winners = (unsigned char *)aligned_floats(blocked_floats(b->out) / sizeof(float) + 1);
    }
    begin_forward(l, net);
    blocked_maxpool(b->in, b->out, pooling_of(l), blocked_input(l, net), b->output, b->winners);
    end_forward(l, net);
}

/* The gradient of the output in one part; the caller drops it. */
static pool_buffer *whole_gradient(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    if (!more)
        return delta;
    pool_buffer *sum = buffer_to_overwrite(b->net, delta, blocked_floats(b->out));
    blocked_add(b->out, delta->data, more->data, 1, sum->data);
    pool_drop(delta);
    pool_drop(more);
    return sum;
}

void backward_maxpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *delta = whole_gradient(l, net);
    if (wants_gradient(net, net.index - 1)) {
        pool_buffer *input_delta = pool_take(b->net->pool, blocked_floats(b->in));
        blocked_maxpool_back(b->in, b->out, pooling_of(l), delta->data, b->winners,
                             input_delta->data);
        give_gradient(net, net.index - 1, b->in, input_delta);
    }
    pool_drop(delta);
}

void forward_local_avgpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (shape_changed(l))
        b->output = aligned_floats(blocked_floats(b->out));
    begin_forward(l, net);
    blocked_window_average(b->in, b->out, pooling_of(l), blocked_input(l, net), b->output);
    end_forward(l, net);
}

void backward_local_avgpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *delta = whole_gradient(l, net);
    if (wants_gradient(net, net.index - 1)) {
        pool_buffer *input_delta = pool_take(b->net->pool, blocked_floats(b->in));
        blocked_window_average_back(b->in, b->out, pooling_of(l), delta->data, input_delta->data);
        give_gradient(net, net.index - 1, b->in, input_delta);
    }
    pool_drop(delta);
}

/* The output of [avgpool] without size is a row a image, plain, because what follows is the host's.
 */
void forward_avgpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    shape_changed(l);
    begin_forward(l, net);
    blocked_average(b->in, blocked_input(l, net), l.output);
}

void backward_avgpool_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (!wants_gradient(net, net.index - 1))
        return;
    pool_buffer *input_delta = pool_take(b->net->pool, blocked_floats(b->in));
    blocked_average_back(b->in, l.delta, input_delta->data);
    give_gradient(net, net.index - 1, b->in, input_delta);
}
