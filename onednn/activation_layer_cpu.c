/* [activation]: relu, leaky or linear, of a layer in the blocked layout. */
#include "backend.h"

void forward_activation_cpu(layer l, network net) {
    cpu_backend *b = l.cpu, *previous = net.layers[net.index - 1].cpu;
    if (shape_changed(l))
        b->output = aligned_floats(blocked_floats(b->out));
    begin_forward(l, net);
    if (previous->leave_to_next)
        blocked_normalize(b->out, previous->normalized_input, previous->stats, NULL, b->slope,
                          b->output);
    else
        blocked_activate(b->out, previous->output, b->slope, b->output);
    end_forward(l, net);
}

/* A normalization left to this layer goes back through the activation too. */
static void hand_on(layer l, network net, pool_buffer *delta, pool_buffer *more) {
    give_gradient(net, net.index - 1, l.cpu->in, delta);
    if (more)
        give_gradient(net, net.index - 1, l.cpu->in, more);
}

void backward_activation_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    if (net.layers[net.index - 1].cpu->leave_to_next) {
        hand_on(l, net, delta, more);
        return;
    }
    pool_buffer *result = buffer_to_overwrite(b->net, delta, blocked_floats(b->out));
    blocked_gradient(b->out, delta->data, more ? more->data : NULL, NULL, b->output, b->slope,
                     partial_sums(b->net, b->out), b->stats, result->data);
    pool_drop(delta);
    pool_drop(more);
    give_gradient(net, net.index - 1, b->in, result);
}
