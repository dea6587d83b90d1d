#include "fused_batchnorm.h"

#include "fail.h"
#include "shared_network_state.h"

void check_fused_batchnorm(const network *net, const char *cfg_file) {
    if (net->ranks && net->ranks->joins_statistics)
        fail("%s: [net] fused_batchnorm=1 does not go with sync_bn=1 on several ranks, whose "
             "statistics and gradients of batch normalisation are summed in between",
             cfg_file);
}

#ifdef GPU
#include "fused_batchnorm_kernels.h"
#include "gpu_status.h"
#include "recipe.h"

#include <stdbool.h>
#include <stdlib.h>

#ifdef CUDNN
static const bool IS_BIASED = true;
#else
static const bool IS_BIASED = false;
#endif

struct fused_batchnorm {
    batchnorm_part *parts; /* on the device; of the layer in work */
};

static bool can_be_fused(const layer *l) {
    return l->type == BATCHNORM ||
           ((l->type == CONVOLUTIONAL || l->type == CONNECTED) && l->batch_normalize);
}

struct fused_batchnorm *make_fused_batchnorm(const network *net) {
    size_t most = 1;
    if (net->gpu_index < 0)
        return NULL;
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        size_t parts = can_be_fused(l) ? most_batchnorm_parts((unsigned)l->out_c) : 0;
        if (parts > most)
            most = parts;
    }
    struct fused_batchnorm *fused = allocate(1, sizeof *fused);
    check_error(cudaMalloc((void **)&fused->parts, most * sizeof *fused->parts));
    return fused;
}

void free_fused_batchnorm(struct fused_batchnorm *fused) {
    if (!fused)
        return;
    check_error(cudaFree(fused->parts));
    free(fused);
}

/* Recurrent layers have some within them that look the same, but are none of the network's. */
static bool is_fused(const layer *l, const network *net) {
    return net->train && recipe_batchnorm(net) && can_be_fused(l) &&
           net->layers[net->index].type == l->type;
}

static fused_batchnorm_pass pass_of(const layer *l, const network *net, activation_slope slope) {
    unsigned pixels = (unsigned)(l->out_w * l->out_h), rows = (unsigned)l->batch;
    bool is_layer = l->type == BATCHNORM;
    return (fused_batchnorm_pass){.x = is_layer ? net->input_gpu : l->x_gpu,
                                  .output = l->output_gpu,
                                  .delta = l->delta_gpu,
                                  .input_delta = is_layer ? net->delta_gpu : NULL,
                                  .scales = l->scales_gpu,
                                  .biases = l->biases_gpu,
                                  .scale_updates = l->scale_updates_gpu,
                                  .bias_updates = l->bias_updates_gpu,
                                  .mean = l->mean_gpu,
                                  .variance = l->variance_gpu,
                                  .rolling_mean = l->rolling_mean_gpu,
                                  .rolling_variance = l->rolling_variance_gpu,
                                  .parts = recipe_batchnorm(net)->parts,
                                  .rows = rows,
                                  .channels = (unsigned)l->out_c,
                                  .pixels = pixels,
                                  .split = split_channels((unsigned)l->out_c, rows * pixels),
                                  .is_biased = IS_BIASED,
                                  .slope = slope};
}

int forward_fused_batchnorm(const layer *l, const network *net, activation_slope slope) {
    if (!is_fused(l, net))
        return 0;
    fused_batchnorm_pass pass = pass_of(l, net, slope);
    check_error(launch_forward_fused_batchnorm(&pass));
    return 1;
}

int backward_fused_batchnorm(const layer *l, const network *net, activation_slope slope) {
    if (!is_fused(l, net))
        return 0;
    fused_batchnorm_pass pass = pass_of(l, net, slope);
    check_error(launch_backward_fused_batchnorm(&pass));
    return 1;
}

#else

struct fused_batchnorm *make_fused_batchnorm(const network *net) {
    (void)net;
    return NULL;
}

void free_fused_batchnorm(struct fused_batchnorm *fused) {
    (void)fused;
}
#endif
