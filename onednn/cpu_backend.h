/* oneDNN under Darknet's layers, on the CPU.
 *
 * take_over_layers() gives the layers that the library is good at new forward, backward and
 * update functions. Between two such layers activations and gradients stay in the library's
 * blocked layout (see blocked.h); l.output and l.delta hold them only where a layer that was not
 * taken over, or the host, reads or adds to them. Weights, biases, scales, rolling statistics
 * and all their updates stay where the host has them, in its layout.
 *
 * Taken over: [convolutional] (not binary or xnor; linear, relu or leaky), [shortcut] of such
 * layers, [batchnorm], [activation] (as those of [convolutional]), [maxpool], [avgpool]. All else
 * runs on the host's code, [connected] too: OpenBLAS is faster there
 * (bench/results/cpu-profile.md). What a layer computes is what the host computes, up to rounding;
 * 3x3 convolutions with many channels and enough pixels in the batch go through Winograd's
 * algorithm, whose rounding is of the same size. So an image alone and the same image in a batch
 * may differ by rounding.
 *
 * The weights are brought to the library's layout at every pass. They belong to the host, which
 * may change them at any time, and a look at whether it did costs as much.
 *
 * Threads: a network is used by one thread at a time, as in the host. The passes run on
 * OpenMP's threads, OMP_NUM_THREADS of them, by default one a processor. */
#ifndef ONEDNN_CPU_BACKEND_H
#define ONEDNN_CPU_BACKEND_H

#include "darknet.h"

/* Takes over what it can of a network that has just been parsed, and prints one line that says
 * which layers those are. Does nothing where the network runs on a GPU. Changes of batch, height
 * and width after that are seen at the next forward pass. */
void take_over_layers(network *net);

/* How many of the network's layers were taken over. */
int count_taken_over(const network *net);

/* The layer's output of the last forward pass where it exists only in the library's layout, with
 * *count floats, padding included; it belongs to the layer. NULL, with *count as it was, where
 * l->output has it. */
const float *backend_output(const layer *l, size_t *count);

/* Host seam, first thing in main: lets OpenMP's threads sleep while they wait for each other. By
 * default they spin, and beside loader threads or other programs each wait can then last a whole
 * time slice of the scheduler: a step took up to ten times as long. Starts the program anew, with
 * OMP_WAIT_POLICY=passive in its environment; OMP_WAIT_POLICY or GOMP_SPINCOUNT of the user's own
 * stay as they are. */
void wait_without_spinning(char **argv);

/* Frees what take_over_layers() attached to the layer; nothing where it was not taken over. */
void free_cpu_backend(layer l);

#endif
