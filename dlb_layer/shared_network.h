/* A network whose micro-batches are cut into shards: what the host has to know of that.
 *
 * Without shards= in the cfg each rank has one of them, and net->ranks is NULL on one rank. With it
 * there are as many on any number of ranks, each of which computes its own one after the other.
 * net->batch is the number of a shard's rows; everything that counts images counts those of all.
 * One network is used by one thread at a time, as everywhere in Darknet. */
#ifndef SHARED_NETWORK_H
#define SHARED_NETWORK_H

#include "darknet.h"
#include "row_share.h"

/* ---- for training ---- */

/* Whether the networks that are parsed from here on are shared out over all ranks. */
void share_networks(bool shares);

/* Which rows of a micro-batch are this rank's. */
row_share share_of_network(const network *net);

/* Its shards; 1 for a network that is not shared out. */
int count_own_shards(const network *net);

/* Before the micro-batches of own shard `shard`; in each iteration the shards come in their order.
 * Every one starts with the count of images and the random numbers of the iteration's beginning. */
void begin_shard(network *net, int shard);

/* Whether the bits of what is trained depend on the number of ranks: not with shards=. */
bool depends_on_ranks(const network *net);

/* Whose rows batch normalisation goes by, where that can be another part of a micro-batch on
 * another number of ranks: "each rank", "each shard" or "all ranks"; NULL where no layer
 * normalises. */
const char *rows_of_normalisation(const network *net);

/* Whether a validation in training needs the network once more, with all rows of a micro-batch, so
 * that its figures are those of any other number of ranks to the last digit. On the CPU alone. */
bool has_validation_copy(const network *net);

/* Whether the shard in work is the rank's last one. */
bool is_last_shard(const network *net);

/* ---- host seams ---- */

/* After batch, subdivisions and the keys of recipe.h have been read, and before any layer is made;
 * last_section is the name of the last one. Ends the program with one sentence where the batch
 * cannot be shared out evenly. */
void share_rows(const char *cfg_file, network *net, const char *last_section);
void free_shared_rows(network *net);

/* Rows of a micro-batch, those of all shards. */
int rows_of_all(const network *net);

/* Whether the micro-batch that is counted in *net->seen is the iteration's last: an update follows.
 */
int ends_iteration(const network *net);

/* What dropout draws for the rows of the shard in work, (batch, inputs), from rand(), which goes on
 * as if those of all had been drawn. */
void draw_dropout(const network *net, int batch, int inputs, float *drawn);

/* With sync_bn=1: from the means and variances, with n - 1, over the `count` values that each rank
 * has of each channel, to those over all ranks' values. */
void join_statistics(const network *net, int channels, int count, float *means, float *variances);

/* With sync_bn=1: two sums over the rank's values of each channel become the means of these sums
 * over the ranks, so that dividing by the rank's own number of values divides by that of all. */
void join_gradient_sums(const network *net, int channels, float *first, float *second);

#endif
