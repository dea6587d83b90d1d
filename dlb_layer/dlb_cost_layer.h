/* The layer [dlb_cost]: Self-Distillation from the Last Mini-Batch (Shen et al., CVPR 2022).
 *
 * It stands last in a cfg, after the softmax. In training it compares the logits of each revisited
 * row with those that the network gave for the same image one iteration ago, and in the backward
 * pass adds the gradient to the logits' delta:
 *
 *     LB    = 1/(B/2) * sum over revisited rows of T^2 * KL(softmax(t/T) || softmax(z/T))
 *     total = CE + alpha * LB                        B = batch, all subdivisions
 *
 * The gradient of CE stays with Darknet's softmax layer. In inference it does nothing. It has no
 * weights. One network is used by one thread at a time, as everywhere in Darknet. */
#ifndef DLB_COST_LAYER_H
#define DLB_COST_LAYER_H

#include "darknet.h"

#include <stdint.h>

/* Host seam: the layer for a [dlb_cost] section that is number `index` of the network, whose
 * layers above exist already; next_section is the section after it, "[...]", or NULL. Ends the
 * program with one sentence naming cfg_file if the section is wrong: see dlb_options.h; no softmax
 * above; softmax with groups, spatial, tree or noloss; a second [dlb_cost]; not the last section;
 * logits of another size than the softmax, or where the host would lose their gradient. */
layer parse_dlb_cost(char *cfg_file, list *pairs, network *net, int index,
                     const char *next_section);

/* The constructor that parse_dlb_cost calls once all is checked. logits_layer's output is
 * (batch, classes); softmax_layer is the layer whose input and temperature CE is computed from.
 * output is the output of the layer before, which this layer passes on and does not own. */
layer make_dlb_cost_layer(int batch, int classes, int logits_layer, int softmax_layer, float alpha,
                          float temperature, float *output);

/* Host seam: releases what the layer owns. */
void free_dlb_cost_layer(layer l);

void forward_dlb_cost_layer(layer l, network net);
void backward_dlb_cost_layer(layer l, network net);
#ifdef GPU
void forward_dlb_cost_layer_gpu(layer l, network net);
void backward_dlb_cost_layer_gpu(layer l, network net);
#endif

/* The network's dlb_cost layer, or NULL if it has none. */
layer *find_dlb_cost_layer(network *net);

/* Makes the ring, on the GPU where the network is there, with a slot for each of the network's
 * subdivisions; until then a network with the layer can only infer. Fails, naming cfg_file, if the
 * micro-batch is odd. */
void prepare_dlb_cost_training(layer *l, const network *net, const char *cfg_file);

/* Says what the next forward pass gets: micro-batch number `slot` with these sample ids, (batch),
 * which must stay valid until the backward pass is over. A revisited row bears the id under which
 * it was new in the iteration before. */
void set_dlb_cost_samples(layer *l, int slot, const int64_t *ids);

/* The micro-batch that set_dlb_cost_samples() was called for. */
int dlb_cost_slot(const layer *l);

#ifdef GPU
/* For who launches the forward pass as a graph: sends the ids of set_dlb_cost_samples() to the
 * device, ahead of the launch. */
void send_dlb_cost_samples(const layer *l);
#endif

/* Empties the ring, so that no row of the next iteration has a teacher; after an iteration whose
 * update was dropped. */
void forget_dlb_cost_teachers(layer *l);

/* What one iteration added up, over its micro-batches. */
typedef struct {
    double cross_entropy; /* of the predictions with the labels, over all rows */
    double consistency;   /* of T^2 * KL over the rows that had a teacher */
    int teachers;         /* how many had one */
} dlb_cost_sums;

/* Returns the sums since the last call and starts anew; on a GPU it waits for the passes before. */
dlb_cost_sums take_dlb_cost_sums(layer *l);

/* The section's alpha. */
float dlb_cost_alpha(const layer *l);

/* The ring of a layer that prepare_dlb_cost_training() has made ready; the layer's own. On a GPU a
 * copy on the host of the ring as it is now: waits for the passes before. */
struct logit_ring *dlb_cost_ring(layer *l);

/* After a change of what dlb_cost_ring() has returned: the next passes read it so. */
void take_dlb_cost_ring(layer *l);

/* What the layer is, for people. */
typedef struct {
    float alpha;
    float temperature;
    int logits_layer; /* whose output is (batch, classes) */
    int classes;
    int half;           /* revisited rows of a micro-batch, and new ones */
    size_t ring_bytes;  /* half a batch of logits and ids */
    size_t delta_bytes; /* (half, classes); a GPU needs none */
} dlb_cost_facts;

/* Of a layer that prepare_dlb_cost_training() has made ready. */
dlb_cost_facts describe_dlb_cost(const layer *l);

#endif
