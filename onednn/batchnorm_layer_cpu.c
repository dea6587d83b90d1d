/* [batchnorm] as a layer of its own. Where only an [activation] reads it, that one normalizes on
 * its way, and this layer does the activation's way back with its own. */
#include "backend.h"
#include "normalization.h"

/* Some of the host's commands cut a network short, here too. */
static int left_to_next(layer l, network net) {
    return l.cpu->leave_to_next && net.index < net.n - 1;
}

void forward_batchnorm_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    shape_changed(l);
    begin_forward(l, net);
    b->normalized_input = blocked_input(l, net);
    find_statistics(l, net, b->normalized_input);
    if (left_to_next(l, net))
        return;
    if (!b->output)
        b->output = aligned_floats(blocked_floats(b->out));
    blocked_normalize(b->out, b->normalized_input, b->stats, NULL, 1, b->output);
    end_forward(l, net);
}

void backward_batchnorm_cpu(layer l, network net) {
    cpu_backend *b = l.cpu;
    float slope = left_to_next(l, net) ? net.layers[net.index + 1].cpu->slope : 1;
    pool_buffer *more, *delta = take_gradient(l, net, &more);
    delta = back_normalized(l, net, b->normalized_input, slope, delta, more);
    if (wants_gradient(net, net.index - 1))
        give_gradient(net, net.index - 1, b->in, delta);
    else
        pool_drop(delta);
}
