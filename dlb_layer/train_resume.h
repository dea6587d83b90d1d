/* Going on from a checkpoint: whether it is there and belongs to this training. */
#ifndef TRAIN_RESUME_H
#define TRAIN_RESUME_H

#include "checkpoint.h"
#include "classifier_data.h"
#include "classifier_options.h"
#include "fingerprint.h"

/* What the result depends on, bit for bit: cfg, list, labels, seed, options. The seed only where
 * the options have it; otherwise it is the checkpoint's. */
fingerprint training_fingerprint(const char *cfg_file, const classifier_data *data,
                                 const classifier_options *options);

/* Adds the images by their paths, not by what is in them. */
void add_image_list(fingerprint *print, const char *name, const classifier_data *data);

/* What it depends on in the last bits: how the network is computed. */
fingerprint training_circumstances(const network *net);

/* Does what options->resume asks for. Where the training goes on from a checkpoint, the network has
 * its weights then, and the state is returned, which the caller puts back and releases. NULL where
 * it starts otherwise, with RESUME_FROM_WEIGHTS from the checkpoint's weights. Standard error says
 * which. Ends the program where the checkpoint is damaged, or another training's, naming what
 * differs. */
state_file *resume_training(checkpoint *c, const classifier_options *options, network *net,
                            const char *cfg_file, const fingerprint *print,
                            const fingerprint *circumstances);

#endif
