/* Whether cfg, data and folders allow a training; all of it before the first iteration. */
#ifndef TRAIN_CHECKS_H
#define TRAIN_CHECKS_H

#include "classifier_data.h"
#include "darknet.h"

#include <stdbool.h>

/* Ends the program if the loader cannot make this network's input and truth rows from the data, the
 * list is shorter than half a batch, the keys of recipe.h do not fit the network, or memory is too
 * small; `validates` says whether the training has a validation, too. */
void check_training_network(const network *net, const char *cfg_file, const classifier_data *data,
                            const char *data_file, bool validates);

/* Ends the program if nothing can be written into the folder. */
void check_backup_folder(const char *folder);

/* Before the host's own loop: ends the program if the cfg has [dlb_cost] or one of the keys of
 * net_keys.h, if the classes of the data file, whose pairs are data_options, are not the network's
 * outputs, for which the host has no room, if the list has no `images`, or if the backup folder
 * cannot be written. */
void check_stock_training(network *net, const char *cfg_file, const char *data_file,
                          list *data_options, int images);

#endif
