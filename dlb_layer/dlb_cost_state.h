/* What [dlb_cost] keeps behind layer.dlb, for the layer's own two files. */
#ifndef DLB_COST_STATE_H
#define DLB_COST_STATE_H

#include "dlb_cost_layer.h"
#include "logit_ring.h"

struct dlb_cost {
    float alpha;
    float temperature;
    int logits_layer;
    int softmax_layer;
    int classes;
    int slots;        /* micro-batches of an iteration */
    int half;         /* rows of a micro-batch that are revisited, and that are new */
    logit_ring *ring; /* NULL until training is prepared; on a GPU a copy, made when asked for */
    float *delta;     /* (half, classes), minus the gradient of the revisited rows; NULL on a GPU */
#ifdef GPU
    struct dlb_cost_device *device; /* NULL until training is prepared, and on the CPU */
#endif
    int slot;           /* of the micro-batch in work */
    const int64_t *ids; /* (2 * half), of the micro-batch in work */
    dlb_cost_sums sums;
};

/* What makes LB a mean over half of the rows, B/(B/2), and alpha. */
static inline double dlb_cost_weight(const struct dlb_cost *dlb) {
    return dlb->alpha * 2.;
}

/* Ends the program where nothing said which images the micro-batch has. */
void need_dlb_cost_samples(const struct dlb_cost *dlb);

#ifdef GPU
/* Ring, ids and sums on the current device; slots, half and classes are set. The layer owns it. */
struct dlb_cost_device *make_dlb_cost_device(const struct dlb_cost *dlb);

/* Accepts NULL. */
void free_dlb_cost_device(struct dlb_cost_device *device);

/* Waits for the device; its sums start anew. */
dlb_cost_sums take_dlb_cost_device_sums(struct dlb_cost_device *device);

/* Between the device's ring and one of the same shape on the host; both wait for the device. */
void pull_dlb_cost_device_ring(const struct dlb_cost_device *device, logit_ring_contents to);
void push_dlb_cost_device_ring(struct dlb_cost_device *device, logit_ring_contents from);

/* Empties all rows of the device's ring. */
void clear_dlb_cost_device_ring(struct dlb_cost_device *device);
#endif

#endif
