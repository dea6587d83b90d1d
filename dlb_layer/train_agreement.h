/* What the ranks of a training decide together, so that all of them do the same. With one rank it
 * decides alone, at once. All functions but stop_signal_of_all() are called by all ranks at once.
 */
#ifndef TRAIN_AGREEMENT_H
#define TRAIN_AGREEMENT_H

#include "training.h"

/* Asks all ranks for the signals that have come. */
void agree_on_stop_signal(void);

/* SIGINT or SIGTERM, of any rank when all were last asked; 0: neither. */
int stop_signal_of_all(void);

/* Whether a checkpoint is due, by the iterations, by rank 0's clock or because SIGUSR1 came to any
 * rank. */
bool checkpoint_is_due_on_all(const training *t);

/* t->losses, those of the rank's shards, added up to those of all, with the same bits on any number
 * of ranks; asks for signals and the clock, too. */
loss_sums add_up_losses(const training *t);

/* The seed of rank 0. */
unsigned seed_of_all(unsigned seed);

/* The weights, statistics and number of images seen of rank 0. */
void take_network_of_rank_0(network *net);

/* Ends the program where the ranks do not train the same: another cfg, list, seed, build, or other
 * options, images or weights. Says on which rank, and what. */
void check_that_ranks_agree(const training *t, char *data_file, const classifier_options *options);
void check_that_lists_agree(const classifier_data *validation);

#endif
