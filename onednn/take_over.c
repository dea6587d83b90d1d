#include "backend.h"
#include "blocked_pool.h"
#include "engine.h"
#include "fail.h"
#include "network.h"

#include <stdio.h>
#include <string.h>

/* ---- what is supported ---- */

/* The activation as a slope for what is not positive; 0 where it is another kind. */
static int find_slope(ACTIVATION activation, float *slope) {
    *slope = activation == RELU ? 0 : activation == LEAKY ? .1f : 1;
    return activation == RELU || activation == LEAKY || activation == LINEAR;
}

static int is_blocked(const network *net, int index) {
    return index >= 0 && net->layers[index].cpu && net->layers[index].cpu->blocked_output;
}

static int take_conv(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    if (l->binary || l->xnor || !find_slope(l->activation, &b->slope))
        return 0;
    b->first = index == 0;
    conv_primitives *probe = NULL;
    if (!is_blocked(net, index - 1) && l->c < b->net->block) {
        probe = make_conv_primitives(l, b, 1);
        b->plain_input = probe != NULL;
    }
    if (!probe)
        probe = make_conv_primitives(l, b, 0);
    if (!probe)
        return 0;
    conv_primitives_free(probe);
    make_channel_stats(b, l->n);
    l->forward = forward_conv_cpu;
    l->backward = backward_conv_cpu;
    l->update = update_conv_cpu;
    return 1;
}

static int take_shortcut(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    int fewer = l->c < l->out_c ? l->c : l->out_c;
    int same_channels = l->c == l->out_c || fewer % b->net->block == 0;
    int shrinks = l->w >= l->out_w && l->w % l->out_w == 0 && l->h % l->out_h == 0 &&
                  l->w / l->out_w == l->h / l->out_h;
    if (!find_slope(l->activation, &b->slope) || l->alpha != 1 || l->beta != 1 || !same_channels ||
        !shrinks || l->index == index - 1 || !is_blocked(net, index - 1) ||
        !is_blocked(net, l->index))
        return 0;
    make_channel_stats(b, l->out_c);
    l->forward = forward_shortcut_cpu;
    l->backward = backward_shortcut_cpu;
    return 1;
}

static int take_pool(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    if (l->type == MAXPOOL && (l->size > LARGEST_WINDOW || l->pad / 2 >= l->size))
        return 0;
    /* Not worth a detour through the blocked layout. */
    if (!is_blocked(net, index - 1))
        return 0;
    if (l->type == MAXPOOL) {
        l->forward = forward_maxpool_cpu;
        l->backward = backward_maxpool_cpu;
    } else if (l->size) {
        l->forward = forward_local_avgpool_cpu;
        l->backward = backward_local_avgpool_cpu;
    } else {
        b->blocked_output = 0;
        l->forward = forward_avgpool_cpu;
        l->backward = backward_avgpool_cpu;
    }
    return 1;
}

/* After a route, whose output is plain, too, because the convolution after it wants the blocked
 * layout; not where that would be mostly padding, nor of rows of values such as [connected]'s. */
static int take_batchnorm(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    if (!is_blocked(net, index - 1) && (l->out_c < b->net->block || l->out_h * l->out_w == 1))
        return 0;
    make_channel_stats(b, l->out_c);
    l->forward = forward_batchnorm_cpu;
    l->backward = backward_batchnorm_cpu;
    return 1;
}

static int take_activation(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    if (!find_slope(l->activation, &b->slope) || !is_blocked(net, index - 1))
        return 0;
    make_channel_stats(b, l->out_c);
    l->forward = forward_activation_cpu;
    l->backward = backward_activation_cpu;
    return 1;
}

static int take_layer(network *net, int index, cpu_backend *b) {
    layer *l = &net->layers[index];
    b->blocked_output = 1;
    if (l->truth)
        return 0;
    switch (l->type) {
    case CONVOLUTIONAL:
        return take_conv(net, index, b);
    case SHORTCUT:
        return take_shortcut(net, index, b);
    case MAXPOOL:
    case AVGPOOL:
        return take_pool(net, index, b);
    case BATCHNORM:
        return take_batchnorm(net, index, b);
    case ACTIVE:
        return take_activation(net, index, b);
    default:
        return 0;
    }
}

/* ---- who reads whom ---- */

static void host_uses(network *net, int index) {
    if (index < 0 || !net->layers[index].cpu)
        return;
    net->layers[index].cpu->plain_output = 1;
    net->layers[index].cpu->plain_delta = 1;
}

static void mark_inputs_of_host_layer(network *net, int index) {
    layer *l = &net->layers[index];
    host_uses(net, index - 1);
    if (l->type == SHORTCUT)
        host_uses(net, l->index);
    if (l->type == ROUTE)
        for (int i = 0; i < l->n; i++)
            host_uses(net, l->input_layers[i]);
    /* It reads the logits, which one of these layers computes. */
    if (l->type == DLB_COST)
        for (int i = 0; i < index; i++)
            if (net->layers[i].outputs == l->inputs)
                host_uses(net, i);
}

/* The layer that the host takes the network's output from. */
static void mark_output(network *net) {
    int last = net->n - 1;
    while (last > 0 && (net->layers[last].type == COST || net->layers[last].type == DLB_COST))
        last--;
    host_uses(net, last);
}

static int count_readers(const network *net, int index) {
    int readers = 0;
    for (int i = index + 1; i < net->n; i++) {
        const layer *l = &net->layers[i];
        readers += i == index + 1 || (l->type == SHORTCUT && l->index == index);
    }
    return readers;
}

/* The normalization of a layer that only the shortcut after it reads is done there. */
static void leave_normalization_to_shortcuts(network *net) {
    for (int i = 0; i + 1 < net->n; i++) {
        layer *l = &net->layers[i], *next = &net->layers[i + 1];
        if (l->cpu && l->type == CONVOLUTIONAL && l->batch_normalize && l->cpu->slope == 1 &&
            !l->cpu->plain_output && next->cpu && next->type == SHORTCUT &&
            count_readers(net, i) == 1)
            l->cpu->leave_to_next = 1;
    }
}

/* That of a [batchnorm] that only the [activation] after it reads likewise. */
static void leave_normalization_to_activations(network *net) {
    for (int i = 0; i + 1 < net->n; i++) {
        layer *l = &net->layers[i], *next = &net->layers[i + 1];
        if (l->cpu && l->type == BATCHNORM && !l->cpu->plain_output && next->cpu &&
            next->type == ACTIVE && count_readers(net, i) == 1)
            l->cpu->leave_to_next = 1;
    }
}

/* ---- report ---- */

static void report(network *net, int taken) {
    const dnnl_version_t *v = dnnl_version();
    fprintf(stderr, "oneDNN %d.%d.%d runs %d of %d layers; the host's own code:", v->major,
            v->minor, v->patch, taken, net->n);
    int named = 0;
    for (int i = 0; i < net->n; i++)
        if (!net->layers[i].cpu)
            fprintf(stderr, "%s %d %s", named++ ? "," : "", i,
                    get_layer_string(net->layers[i].type));
    fprintf(stderr, "%s\n", named ? "" : " none");
}

void take_over_layers(network *net) {
#ifdef GPU
    if (net->gpu_index >= 0)
        return;
#endif
    if (!preferred_block()) {
        fprintf(stderr,
                "oneDNN has no fast kernels for this processor; the host's own code runs\n");
        return;
    }
    backend_net *shared = allocate(1, sizeof *shared);
    shared->pool = buffer_pool_create();
    shared->block = preferred_block();
    for (int i = 0; i < net->n; i++) {
        cpu_backend *b = allocate(1, sizeof *b);
        b->net = shared;
        if (take_layer(net, i, b)) {
            net->layers[i].cpu = b;
            shared->layers++;
        } else {
            free(b);
        }
    }
    for (int i = 0; i < net->n; i++)
        if (!net->layers[i].cpu)
            mark_inputs_of_host_layer(net, i);
    mark_output(net);
    leave_normalization_to_shortcuts(net);
    leave_normalization_to_activations(net);
    report(net, shared->layers);
    if (shared->layers == 0) {
        buffer_pool_free(shared->pool);
        free(shared);
    }
}
