#include "backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

blocked_shape input_shape(const layer *l, int block) {
    return (blocked_shape){l->batch, l->c, l->h, l->w, block};
}

blocked_shape output_shape(const layer *l, int block) {
    return (blocked_shape){l->batch, l->out_c, l->out_h, l->out_w, block};
}

static int same_shape(blocked_shape a, blocked_shape b) {
    return a.batch == b.batch && a.channels == b.channels && a.height == b.height &&
           a.width == b.width;
}

static void free_buffers(cpu_backend *b) {
    free(b->output);
    free(b->input);
    free(b->x);
    free(b->winners);
    conv_primitives_free(b->conv);
    b->output = b->input = b->x = NULL;
    b->winners = NULL;
    b->conv = NULL;
}

int shape_changed(layer l) {
    cpu_backend *b = l.cpu;
    blocked_shape in = input_shape(&l, b->net->block), out = output_shape(&l, b->net->block);
    if (same_shape(in, b->in) && same_shape(out, b->out))
        return 0;
    free_buffers(b);
    b->in = in;
    b->out = out;
    return 1;
}

int count_taken_over(const network *net) {
    int count = 0;
    for (int i = 0; i < net->n; i++)
        count += net->layers[i].cpu != NULL;
    return count;
}

const float *backend_output(const layer *l, size_t *count) {
    const cpu_backend *b = l->cpu;
    if (!b || !b->blocked_output)
        return NULL;
    const float *values = b->output ? b->output : b->x;
    if (values)
        *count = blocked_floats(b->out);
    return values;
}

static void drop_terms(cpu_backend *b) {
    for (int i = 0; i < b->term_count; i++)
        pool_drop(b->terms[i]);
    b->term_count = 0;
}

void free_cpu_backend(layer l) {
    cpu_backend *b = l.cpu;
    if (!b)
        return;
    drop_terms(b);
    free_buffers(b);
    free(b->stats_memory);
    if (--b->net->layers == 0) {
        buffer_pool_free(b->net->pool);
        free(b->net->partial);
        free(b->net);
    }
    free(b);
}

/* Some of the host's commands cut a network short; its last layer is then theirs to read. */
static int is_last(network net) {
    return net.index == net.n - 1;
}

static int host_adds(layer l, network net) {
    return l.delta && (l.cpu->plain_delta || !l.cpu->blocked_output || is_last(net));
}

void begin_forward(layer l, network net) {
    drop_terms(l.cpu);
    if (host_adds(l, net))
        memset(l.delta, 0, (size_t)l.batch * (size_t)l.outputs * sizeof *l.delta);
}

static int is_blocked(network net, int index) {
    return index >= 0 && net.layers[index].cpu && net.layers[index].cpu->blocked_output;
}

const float *blocked_input(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (is_blocked(net, net.index - 1))
        return net.layers[net.index - 1].cpu->output;
    if (!b->input)
        b->input = aligned_floats(blocked_floats(b->in));
    blocked_from_plain(b->in, net.input, b->input);
    return b->input;
}

void end_forward(layer l, network net) {
    cpu_backend *b = l.cpu;
    if (b->plain_output || is_last(net))
        blocked_to_plain(b->out, b->output, l.output);
}

float *partial_sums(backend_net *net, blocked_shape s) {
    size_t size = partial_floats(s);
    if (size > net->partial_size) {
        free(net->partial);
        net->partial = aligned_floats(size);
        net->partial_size = size;
    }
    return net->partial;
}

/* ---- gradients ---- */

static void add_term(cpu_backend *b, pool_buffer *delta) {
    assert(b->term_count < MOST_TERMS);
    b->terms[b->term_count++] = delta;
}

pool_buffer *buffer_to_overwrite(backend_net *net, pool_buffer *buffer, size_t floats) {
    if (buffer->holders > 1)
        return pool_take(net->pool, floats);
    pool_hold(buffer);
    return buffer;
}

/* Makes the last two terms one. */
static void join_terms(cpu_backend *b) {
    pool_buffer *one = b->terms[b->term_count - 1], *other = b->terms[b->term_count - 2];
    pool_buffer *sum = buffer_to_overwrite(b->net, one, blocked_floats(b->out));
    blocked_add(b->out, one->data, other->data, 1, sum->data);
    pool_drop(one);
    pool_drop(other);
    b->terms[b->term_count - 2] = sum;
    b->term_count--;
}

pool_buffer *take_gradient(layer l, network net, pool_buffer **more) {
    cpu_backend *b = l.cpu;
    size_t floats = blocked_floats(b->out);
    if (host_adds(l, net)) {
        pool_buffer *plain = pool_take(b->net->pool, floats);
        blocked_from_plain(b->out, l.delta, plain->data);
        if (b->term_count == MOST_TERMS)
            join_terms(b);
        add_term(b, plain);
    }
    if (b->term_count == 0) {
        add_term(b, pool_take(b->net->pool, floats));
        memset(b->terms[0]->data, 0, floats * sizeof(float));
    }
    while (b->term_count > 2)
        join_terms(b);
    *more = b->term_count == 2 ? b->terms[1] : NULL;
    b->term_count = 0;
    return b->terms[0];
}

int wants_gradient(network net, int index) {
    return is_blocked(net, index) || (index == net.index - 1 && net.delta);
}

void give_gradient(network net, int index, blocked_shape s, pool_buffer *delta) {
    if (is_blocked(net, index)) {
        cpu_backend *to = net.layers[index].cpu;
        if (to->term_count == MOST_TERMS)
            join_terms(to);
        add_term(to, delta);
        return;
    }
    assert(index == net.index - 1);
    blocked_add_to_plain(s, delta->data, net.delta);
    pool_drop(delta);
}
