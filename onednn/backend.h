/* What the taken-over layers share: the state behind layer.cpu, and how activations and
 * gradients go from one layer to the next. Internal to onednn/. */
#ifndef ONEDNN_BACKEND_H
#define ONEDNN_BACKEND_H

#include "blocked.h"
#include "buffer_pool.h"
#include "conv_primitives.h"
#include "cpu_backend.h"

enum { MOST_TERMS = 8 };

/* Shared by the taken-over layers of a network; the last of them frees it. */
typedef struct {
    buffer_pool *pool;
    int block;  /* channels in a block */
    int layers; /* that are left */
    float *partial;
    size_t partial_size;
} backend_net;

/* Layers are passed by value, so what changes lives behind layer.cpu. */
struct cpu_backend {
    backend_net *net;

    /* Decided once, by take_over_layers(). */
    int blocked_output; /* 0: the output is l.output, plain, and the delta l.delta */
    int plain_output;   /* the host reads l.output too */
    int plain_delta;    /* the host adds to l.delta too */
    int leave_to_next;  /* the layer after it does the normalization on its way */
    float slope;        /* of the activation, see blocked.h */

    /* For the present batch, height and width. */
    blocked_shape in, out;
    float *output;
    float *input; /* the blocked form of an input that comes plain */

    /* Parts of the gradient of the output, from the layers that read it, each held. */
    pool_buffer *terms[MOST_TERMS];
    int term_count;

    /* Convolution. */
    conv_primitives *conv;
    int plain_input;
    int first; /* of the network */
    float *x;  /* the convolution's result, before normalization */
    channel_stats stats;
    float *stats_memory;
    int normalized; /* l.scales are in use: stats are those of this batch */
    int summed;     /* the shortcut has computed stats.sum_delta and stats.sum_delta_x */

    /* [batchnorm]: its input, which belongs to the layer before it or is `input`. */
    const float *normalized_input;

    /* Max-pooling. */
    unsigned char *winners;
};
typedef struct cpu_backend cpu_backend;

/* ---- forward ---- */

/* The shapes of the layer's input and output in the blocked layout. */
blocked_shape input_shape(const layer *l, int block);
blocked_shape output_shape(const layer *l, int block);

/* Whether batch, height or width changed since the buffers were made. If so, frees the buffers
 * and notes the new shapes; the caller makes its buffers anew. */
int shape_changed(layer l);

/* Forgets gradients left over from before, and clears l.delta where the host adds to it. */
void begin_forward(layer l, network net);

/* The layer's input in the blocked layout; valid until its producer runs again. */
const float *blocked_input(layer l, network net);

/* Fills l.output where the host reads it. */
void end_forward(layer l, network net);

/* Scratch for passes with sums over a tensor of shape `s`; valid until the next call. */
float *partial_sums(backend_net *net, blocked_shape s);

/* ---- backward ---- */

/* The gradient of the output as one or two parts; *more is NULL where there is one. The caller
 * drops both. */
pool_buffer *take_gradient(layer l, network net, pool_buffer **more);

/* Adds `delta`, blocked, to the gradient of layer `index`, -1 for the network's input; takes over
 * the caller's hold. */
void give_gradient(network net, int index, blocked_shape s, pool_buffer *delta);

/* Whether anyone wants the gradient of layer `index`. */
int wants_gradient(network net, int index);

/* `buffer` where nobody else holds it, with a hold more; otherwise a fresh one as large. */
pool_buffer *buffer_to_overwrite(backend_net *net, pool_buffer *buffer, size_t floats);

/* ---- the layers ---- */

void forward_conv_cpu(layer l, network net);
void backward_conv_cpu(layer l, network net);
void update_conv_cpu(layer l, update_args a);
/* NULL where the library has no good code for it. */
conv_primitives *make_conv_primitives(const layer *l, const cpu_backend *b, int plain_input);
/* The statistics' memory, once the layer's number of channels is known. */
void make_channel_stats(cpu_backend *b, int channels);

void forward_batchnorm_cpu(layer l, network net);
void backward_batchnorm_cpu(layer l, network net);
void forward_activation_cpu(layer l, network net);
void backward_activation_cpu(layer l, network net);

void forward_shortcut_cpu(layer l, network net);
void backward_shortcut_cpu(layer l, network net);

void forward_maxpool_cpu(layer l, network net);
void backward_maxpool_cpu(layer l, network net);
void forward_avgpool_cpu(layer l, network net);
void backward_avgpool_cpu(layer l, network net);
void forward_local_avgpool_cpu(layer l, network net);
void backward_local_avgpool_cpu(layer l, network net);

#endif
