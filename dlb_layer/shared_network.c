#include "shared_network.h"

#include "compute_threads.h"
#include "fail.h"
#include "network_device.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network_state.h"
#include "utils.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool sharing;

void share_networks(bool shares) {
    sharing = shares;
}

/* ---- shards ---- */

row_share share_of_network(const network *net) {
    return net->ranks ? net->ranks->share : whole_share(net->batch);
}

int count_own_shards(const network *net) {
    return net->ranks ? net->ranks->share.own : 1;
}

bool depends_on_ranks(const network *net) {
    return !net->ranks || !net->ranks->in_order;
}

static bool has_normalisation(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (net->layers[i].batch_normalize || net->layers[i].type == BATCHNORM)
            return true;
    return false;
}

const char *rows_of_normalisation(const network *net) {
    if (!has_normalisation(net))
        return NULL;
    if (!depends_on_ranks(net))
        return "each shard";
    return recipe_keys(net).sync_bn ? "all ranks" : "each rank";
}

bool has_validation_copy(const network *net) {
    /* A shard's rows are always as many, and a GPU's figures differ in the last digits anyway. */
    return net->ranks && !net->ranks->in_order && !is_on_gpu(net);
}

static void check_shards(const char *cfg_file, const network *net, int shards, int ranks) {
    if (shards % ranks)
        fail("%s: [net] shards=%d cannot be shared out over %d ranks, because %d does not "
             "divide %d",
             cfg_file, shards, ranks, ranks, shards);
    if (shards > 1 && is_on_gpu(net))
        fail("%s: [net] shards=%d works only on the CPU; add -nogpu", cfg_file, shards);
}

static void check_batch(const char *cfg_file, const network *net, const char *parts, int count,
                        bool halves) {
    int batch = net->batch * net->subdivisions;
    if (batch < 1 || !can_share_batch(batch, net->subdivisions, count, halves))
        fail("%s: batch=%d with subdivisions=%d cannot be shared out over %d %s, each with %s "
             "rows of a micro-batch; the nearest batch that can is %" PRId64,
             cfg_file, batch, net->subdivisions, count, parts,
             halves ? "the same even number of" : "as many",
             nearest_shared_batch(batch, net->subdivisions, count, halves));
}

void share_rows(const char *cfg_file, network *net, const char *last_section) {
    net_keys keys = recipe_keys(net);
    int ranks = rank_count();
    bool halves = !strcmp(last_section, "[dlb_cost]"), in_order = keys.shards > 0;
    int shards = in_order ? keys.shards : ranks;
    if (!sharing)
        return;
    if (in_order)
        check_shards(cfg_file, net, shards, ranks);
    if (shards == 1)
        return;
    if (in_order)
        fix_matrix_threads();
    check_batch(cfg_file, net, in_order ? "shards" : "ranks", shards, halves);
    net->ranks = allocate(1, sizeof *net->ranks);
    net->ranks->share = (row_share){.shards = shards,
                                    .first = rank_number() * (shards / ranks),
                                    .own = shards / ranks,
                                    .rows = net->batch,
                                    .halves = halves};
    net->ranks->in_order = in_order;
    net->ranks->joins_statistics = keys.sync_bn;
    net->batch = count_shard_rows(&net->ranks->share);
}

void free_shared_rows(network *net) {
    free(net->ranks);
    net->ranks = NULL;
}

int rows_of_all(const network *net) {
    return net->ranks ? net->ranks->share.rows : net->batch;
}

int ends_iteration(const network *net) {
    size_t micro_batches = *net->seen / (size_t)rows_of_all(net);
    return is_last_shard(net) && micro_batches % (size_t)net->subdivisions == 0;
}

void begin_shard(network *net, int shard) {
    struct shared_rows *r = net->ranks;
    if (!r || r->share.own == 1)
        return;
    if (shard == 0) {
        r->seen = *net->seen;
        r->random = host_random_now();
    }
    *net->seen = r->seen;
    set_host_random(&r->random);
    r->shard = shard;
}

bool is_last_shard(const network *net) {
    return !net->ranks || net->ranks->shard == net->ranks->share.own - 1;
}

/* Which rows are those of the shard in work. */
static row_share share_in_work(const network *net, int batch) {
    if (!net->ranks)
        return whole_share(batch);
    row_share share = net->ranks->share;
    share.first += net->ranks->shard;
    share.own = 1;
    return share;
}

static void draw_row(float *row, int inputs) {
    for (int i = 0; i < inputs; i++) {
        float drawn = rand_uniform(0, 1);
        if (row)
            row[i] = drawn;
    }
}

void draw_dropout(const network *net, int batch, int inputs, float *drawn) {
    row_share share = share_in_work(net, batch);
    for (int row = 0; row < share.rows; row++) {
        int own = row_among_own(&share, row);
        draw_row(own < 0 ? NULL : drawn + (size_t)own * (size_t)inputs, inputs);
    }
}

/* ---- statistics over all ranks ---- */

static bool joins(const network *net) {
    return net->ranks && net->ranks->joins_statistics;
}

void join_statistics(const network *net, int channels, int count, float *means, float *variances) {
    if (!joins(net))
        return;
    double *sums = allocate(2 * (size_t)channels, sizeof *sums), *squares = sums + channels;
    double shards = net->ranks->share.shards, all = count * shards;
    for (int i = 0; i < channels; i++) {
        double mean = means[i], around_mean = count > 1 ? variances[i] * (count - 1.) : 0;
        sums[i] = mean;
        squares[i] = around_mean + count * mean * mean;
    }
    ranks_sum(sums, 2 * (size_t)channels);
    for (int i = 0; i < channels; i++) {
        double mean = sums[i] / shards, around_mean = squares[i] - all * mean * mean;
        means[i] = (float)mean;
        variances[i] = (float)((around_mean < 0 ? 0 : around_mean) / (all - 1));
    }
    free(sums);
}

void join_gradient_sums(const network *net, int channels, float *first, float *second) {
    if (!joins(net))
        return;
    double *sums = allocate(2 * (size_t)channels, sizeof *sums), shards = net->ranks->share.shards;
    for (int i = 0; i < channels; i++) {
        sums[i] = first[i];
        sums[channels + i] = second[i];
    }
    ranks_sum(sums, 2 * (size_t)channels);
    for (int i = 0; i < channels; i++) {
        first[i] = (float)(sums[i] / shards);
        second[i] = (float)(sums[channels + i] / shards);
    }
    free(sums);
}
