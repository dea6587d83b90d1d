/* For unit tests of layers: networks parsed from a text, and the host's own code under them in
 * place of the CPU backend's. Include it before cmocka.h and the headers that bring it. */
#ifndef SMALL_NETWORK_H
#define SMALL_NETWORK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu_backend.h"

/* The host's own headers are not written for -Wextra. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "activation_layer.h"
#include "avgpool_layer.h"
#include "batchnorm_layer.h"
#include "connected_layer.h"
#include "convolutional_layer.h"
#include "maxpool_layer.h"
#include "network.h"
#include "parser.h"
#include "route_layer.h"
#include "shortcut_layer.h"
#pragma GCC diagnostic pop

/* The caller frees it with free_network(). */
static inline network *parse_network_text(const char *text) {
    char name[] = "/tmp/network_XXXXXX";
    int file = mkstemp(name);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text)) {
        perror(name);
        exit(1);
    }
    close(file);
    network *net = parse_network_cfg(name);
    unlink(name);
    return net;
}

static inline void give_layer_back(layer *l) {
    free_cpu_backend(*l);
    l->cpu = NULL;
    if (l->type == CONVOLUTIONAL) {
        l->forward = forward_convolutional_layer;
        l->backward = backward_convolutional_layer;
        l->update = update_convolutional_layer;
    } else if (l->type == SHORTCUT) {
        l->forward = forward_shortcut_layer;
        l->backward = backward_shortcut_layer;
    } else if (l->type == BATCHNORM) {
        l->forward = forward_batchnorm_layer;
        l->backward = backward_batchnorm_layer;
    } else if (l->type == ACTIVE) {
        l->forward = forward_activation_layer;
        l->backward = backward_activation_layer;
    } else if (l->type == MAXPOOL) {
        l->forward = forward_maxpool_layer;
        l->backward = backward_maxpool_layer;
    } else if (l->type == AVGPOOL) {
        l->forward = l->size ? forward_local_avgpool_layer : forward_avgpool_layer;
        l->backward = l->size ? backward_local_avgpool_layer : backward_avgpool_layer;
    }
}

/* Has the host's own code run all layers. */
static inline void give_layers_back(network *net) {
    for (int i = 0; i < net->n; i++)
        give_layer_back(&net->layers[i]);
}

/* From -1 to 1. */
static inline float draw(void) {
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static inline void draw_floats(float *to, int count) {
    for (int i = 0; i < count; i++)
        to[i] = draw();
}

#endif
