/* The loss scale of a network that is trained in float16 on a GPU (loss_scale.h), where it lives on
 * the device: kernels read and change it there, so that a step need not wait for it. All functions
 * do nothing, and say so as below, for a network without one: on the CPU, or without half=1. */
#ifndef LOSS_SCALE_GPU_H
#define LOSS_SCALE_GPU_H

#include "darknet.h"
#include "loss_scale.h"
#include "state_file.h"

/* ---- host seams ---- */

/* One at its first value for a network with float16, whose batch is known; NULL for others.
 * Released with free_device_loss_scale(), which accepts NULL. */
struct device_loss_scale *make_device_loss_scale(const network *net);
void free_device_loss_scale(struct device_loss_scale *s);

/* Before the first gradient of train_network_datum(): notes `updates`, so that an update can be
 * left out. */
void begin_half_step(network *net);

/* ---- for kernels: on the device; NULL for a network without ---- */

loss_scale *device_loss_scale_of(const network *net);
const float *loss_scale_on_device(const network *net); /* of deltas */

/* ---- for training ---- */

/* Says which updates have been left out since the last call. Waits for the last update. Ends the
 * program with one sentence where gradients are not finite even without a scale. */
void report_half_updates(const network *net);

/* How many it has named in this process; 0 without a scale. */
int half_updates_dropped(const network *net);

/* Of a state file: puts the scale in, and gets it where the file has one, of a GPU too. */
void put_loss_scale(state_writer *writer, const network *net);
void get_loss_scale(const state_file *file, network *net);

#endif
