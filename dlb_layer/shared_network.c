#include "shared_network.h"

#include "fail.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network_state.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>

static bool sharing;

void share_networks(bool shares) {
    sharing = shares;
}

row_share share_of_network(const network *net) {
    return net->ranks ? net->ranks->share : whole_share(net->batch);
}

void share_rows(const char *cfg_file, network *net, const char *last_section) {
    int ranks = rank_count(), batch = net->batch * net->subdivisions;
    bool halves = !strcmp(last_section, "[dlb_cost]");
    if (!sharing || ranks == 1)
        return;
    if (batch < 1 || !can_share_batch(batch, net->subdivisions, ranks, halves))
        fail("%s: batch=%d with subdivisions=%d cannot be shared out over %d ranks, each with %s "
             "rows of a micro-batch; the nearest batch that can is %d",
             cfg_file, batch, net->subdivisions, ranks,
             halves ? "the same even number of" : "as many",
             nearest_shared_batch(batch, net->subdivisions, ranks, halves));
    net->ranks = allocate(1, sizeof *net->ranks);
    net->ranks->share =
        (row_share){.ranks = ranks, .rank = rank_number(), .rows = net->batch, .halves = halves};
    net->ranks->joins_statistics = recipe_keys(net).sync_bn;
    net->batch = count_own_rows(&net->ranks->share);
}

void free_shared_rows(network *net) {
    free(net->ranks);
    net->ranks = NULL;
}

int rows_of_all(const network *net) {
    return net->ranks ? net->ranks->share.rows : net->batch;
}

static void draw_row(float *row, int inputs) {
    for (int i = 0; i < inputs; i++) {
        float drawn = rand_uniform(0, 1);
        if (row)
            row[i] = drawn;
    }
}

void draw_dropout(const network *net, int batch, int inputs, float *drawn) {
    row_share share = net->ranks ? net->ranks->share : whole_share(batch);
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
    double ranks = net->ranks->share.ranks, all = count * ranks;
    for (int i = 0; i < channels; i++) {
        double mean = means[i], around_mean = count > 1 ? variances[i] * (count - 1.) : 0;
        sums[i] = mean;
        squares[i] = around_mean + count * mean * mean;
    }
    ranks_sum(sums, 2 * (size_t)channels);
    for (int i = 0; i < channels; i++) {
        double mean = sums[i] / ranks, around_mean = squares[i] - all * mean * mean;
        means[i] = (float)mean;
        variances[i] = (float)((around_mean < 0 ? 0 : around_mean) / (all - 1));
    }
    free(sums);
}

void join_gradient_sums(const network *net, int channels, float *first, float *second) {
    if (!joins(net))
        return;
    double *sums = allocate(2 * (size_t)channels, sizeof *sums), ranks = net->ranks->share.ranks;
    for (int i = 0; i < channels; i++) {
        sums[i] = first[i];
        sums[channels + i] = second[i];
    }
    ranks_sum(sums, 2 * (size_t)channels);
    for (int i = 0; i < channels; i++) {
        first[i] = (float)(sums[i] / ranks);
        second[i] = (float)(sums[channels + i] / ranks);
    }
    free(sums);
}
