#include "decay_all.h"

#include "cfg_value.h"
#include "fail.h"
#include "network.h"

int read_decay_all(const char *cfg_file, list *net_options, int adam) {
    int on = cfg_whole_value(cfg_file, "[net]", net_options, "decay_all", 0, 1, 0);
    if (on && adam)
        fail("%s: [net] decay_all=1 does not go with adam=%d", cfg_file, adam);
    return on;
}

/* How many biases the layer has, and with normalization as many scales; 0 for other kinds. */
static int bias_count(const layer *l) {
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        return l->n;
    case CONNECTED:
    case LOCAL:
        return l->outputs;
    case BATCHNORM:
        return l->c;
    default:
        return 0;
    }
}

void check_decay_all(const char *cfg_file, int index, const layer *l) {
    if (l->update && !bias_count(l))
        fail("%s: [net] decay_all=1 does not know the parameters of a [%s], layer %d", cfg_file,
             get_layer_string(l->type), index);
}

void decay_biases_and_scales(const layer *l, update_args a) {
    float decay = a.decay * (float)a.batch;
    axpy_cpu(bias_count(l), -decay, l->biases, 1, l->bias_updates, 1);
    if (l->scale_updates)
        axpy_cpu(bias_count(l), -decay, l->scales, 1, l->scale_updates, 1);
}

#ifdef GPU
void decay_biases_and_scales_gpu(const layer *l, update_args a) {
    float decay = a.decay * (float)a.batch;
    axpy_gpu(bias_count(l), -decay, l->biases_gpu, 1, l->bias_updates_gpu, 1);
    if (l->scale_updates_gpu)
        axpy_gpu(bias_count(l), -decay, l->scales_gpu, 1, l->scale_updates_gpu, 1);
}
#endif
