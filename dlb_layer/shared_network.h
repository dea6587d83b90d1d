/* A network whose micro-batches are shared out over ranks: what the host has to know of that.
 *
 * net->batch is then the number of the rank's own rows; everything that counts images counts those
 * of all ranks. net->ranks is NULL for a network on one rank. One network is used by one thread at
 * a time, as everywhere in Darknet. */
#ifndef SHARED_NETWORK_H
#define SHARED_NETWORK_H

#include "darknet.h"
#include "row_share.h"

/* ---- for training ---- */

/* Whether the networks that are parsed from here on are shared out over all ranks. */
void share_networks(bool shares);

/* Which rows of a micro-batch are this rank's. */
row_share share_of_network(const network *net);

/* ---- host seams ---- */

/* After batch, subdivisions and the keys of recipe.h have been read, and before any layer is made;
 * last_section is the name of the last one. Ends the program with one sentence where the batch
 * cannot be shared out evenly. */
void share_rows(const char *cfg_file, network *net, const char *last_section);
void free_shared_rows(network *net);

/* Rows of a micro-batch, those of all ranks. */
int rows_of_all(const network *net);

/* What dropout draws for the rank's own rows, (batch, inputs), from rand(), which goes on as if
 * those of all ranks had been drawn. */
void draw_dropout(const network *net, int batch, int inputs, float *drawn);

/* With sync_bn=1: from the means and variances, with n - 1, over the `count` values that each rank
 * has of each channel, to those over all ranks' values. */
void join_statistics(const network *net, int channels, int count, float *means, float *variances);

/* With sync_bn=1: two sums over the rank's values of each channel become the means of these sums
 * over the ranks, so that dividing by the rank's own number of values divides by that of all. */
void join_gradient_sums(const network *net, int channels, float *first, float *second);

#endif
