/* The keys of net_keys.h at work in one network: reading and checking them, and what has to happen
 * inside the host: normalised inputs, Nesterov's momentum. What happens to the images of training
 * is in image_rows.h.
 *
 * One network is used by one thread at a time, as everywhere in Darknet. */
#ifndef RECIPE_H
#define RECIPE_H

#include "classifier_data.h"
#include "darknet.h"
#include "net_keys.h"

/* ---- host seams ---- */

/* The recipe of a [net] section whose pairs are `options` and from which `net` has its numbers;
 * NULL where none of the keys is there. Ends the program with one sentence naming cfg_file where
 * they are wrong: see net_keys_parse; mean for images that have not three channels; nesterov with
 * adam or without momentum. The caller releases it with free_recipe(). */
struct recipe *parse_recipe(const char *cfg_file, list *options, const network *net);

/* Accepts NULL. */
void free_recipe(struct recipe *recipe);

/* What network_predict() shows the network for `input`, (net->batch, net->inputs): `input` itself
 * or, with mean and std, a normalised copy that belongs to the network and is valid until the next
 * call. `input` is left as it is. */
float *normalised_input(network *net, float *input);

/* Before the first gradient of train_network_datum(). Ends the program where the network has a
 * recipe and the training is not one that knows of it. */
void begin_recipe_step(network *net);

/* After an update of all layers with these arguments. */
void finish_recipe_update(network *net, update_args a);

/* What batch normalisation in training works in on a GPU with fused_batchnorm=1; NULL without, and
 * before the first step. */
struct fused_batchnorm *recipe_batchnorm(const network *net);

/* For who updates the parameters at `values` and does Nesterov's step too: nesterov_before(); NULL
 * where the network is trained without. */
float *recipe_before(const network *net, const float *values);

/* ---- for training ---- */

/* The network's keys; the defaults where it has no recipe. */
net_keys recipe_keys(const network *net);

/* Ends the program with one sentence naming cfg_file where the network or the data cannot be
 * trained with its keys: Nesterov's momentum for a layer that is not known there; soft labels with
 * a tree, or where no plain [softmax] ends the network; no rows to mix; a step that cannot be a
 * graph; batch normalisation that cannot be fused. */
void check_recipe(const network *net, const char *cfg_file, const classifier_data *data);

/* Says that this training does what the keys ask for. */
void allow_recipe_training(network *net);

/* For the host's own training loop: ends the program where the network has a recipe. */
void refuse_recipe(const network *net, const char *cfg_file);

#endif
