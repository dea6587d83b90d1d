#include "saved_weights.h"

#include "fail.h"
#include "finite_guard.h"
#include "parser.h"

#include <stdlib.h>

typedef struct {
    network *net;
    int layers;
} weights;

static void write_content(FILE *file, void *context) {
    const weights *w = context;
    write_weights_upto(w->net, file, w->layers);
}

static char *replace_weights(network *net, const char *path, int layers) {
    weights w = {net, layers};
    refuse_to_save_not_finite(net, path);
    fprintf(stderr, "Saving weights to %s\n", path);
    return replace_file(path, ".new", true, write_content, &w);
}

char *save_weights_file(network *net, const char *path) {
    return replace_weights(net, path, net->n);
}

char *write_weights_file(network *net, const char *path, file_sum *sum) {
    weights w = {net, net->n};
    refuse_to_save_not_finite(net, path);
    return write_new_file(path, true, write_content, &w, sum);
}

void load_own_weights(network *net, char *path) {
    layer *layers = net->layers;
    net->layers = allocate((size_t)net->n, sizeof *layers);
    for (int i = 0; i < net->n; i++) {
        layer *l = &net->layers[i];
        *l = layers[i]; /* the arrays are the same */
        l->dontload = l->dontloadscales = l->numload = l->flipped = 0;
    }
    load_weights(net, path);
    free(net->layers);
    net->layers = layers;
}

void save_weights_or_fail(network *net, const char *path, int cutoff) {
    char *error = replace_weights(net, path, cutoff);
    if (error)
        fail("%s", error);
}
