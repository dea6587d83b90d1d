/* fused_batchnorm=1 of [net]: on a GPU, batch normalisation in training by two kernels of ours a
 * pass, with the activation after it, in place of cuDNN's calls or the host's kernels: for
 * [convolutional] and [connected] with batch_normalize=1 and for [batchnorm], not within recurrent
 * layers. Variances are those of the build's other way: with cuDNN values are normalised by the
 * variance over n values and the rolling one is over n - 1, without it both are over n - 1. None of
 * this has ever run on a card. */
#ifndef FUSED_BATCHNORM_H
#define FUSED_BATCHNORM_H

#include "activation_slope.h"
#include "darknet.h"

/* Ends the program with one sentence naming cfg_file where it does not go with what else the cfg
 * says. */
void check_fused_batchnorm(const network *net, const char *cfg_file);

struct fused_batchnorm;

/* The network's memory for partial sums, enough for any batch and size: two floats a block. NULL on
 * the CPU. The caller releases it with free_fused_batchnorm(), which accepts NULL. */
struct fused_batchnorm *make_fused_batchnorm(const network *net);
void free_fused_batchnorm(struct fused_batchnorm *fused);

#ifdef GPU
/* For a network in training that has such memory, recipe_batchnorm(): normalise output_gpu or its
 * deltas with the statistics of the batch, and activate with `slope`, in gpu_stream(). Input is
 * x_gpu, of [batchnorm] net->input_gpu; neither it nor x_norm_gpu is written. Each returns 1; or 0,
 * and has done nothing, where the layer is another one. Neither waits. */
int forward_fused_batchnorm(const layer *l, const network *net, activation_slope slope);
int backward_fused_batchnorm(const layer *l, const network *net, activation_slope slope);
#endif

#endif
