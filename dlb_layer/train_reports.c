#include "train_reports.h"

#include "finite_guard.h"
#include "loss_scale_gpu.h"
#include "ranks.h"
#include "shared_network.h"

#include <stdio.h>
#include <stdlib.h>

void report_shares(const network *net) {
    row_share share = share_of_network(net);
    const char *normalised = rows_of_normalisation(net);
    if (share.shards == 1)
        return;
    if (depends_on_ranks(net))
        fprintf(stderr, "%d ranks, each with %d of the %d rows of a micro-batch", share.shards,
                net->batch, share.rows);
    else
        fprintf(stderr, "A micro-batch of %d rows in %d shards of %d, %d on each of %d rank%s",
                share.rows, share.shards, net->batch, share.own, rank_count(),
                rank_count() == 1 ? "" : "s");
    if (normalised)
        fprintf(stderr, "; batch normalisation goes by the rows of %s", normalised);
    fputc('\n', stderr);
}

void print_iteration(training *t, const iteration_record *r, bool dropped) {
    float loss = (float)r->loss;
    if (t->average_loss == -1 && !dropped)
        t->average_loss = loss;
    if (!dropped)
        t->average_loss = t->average_loss * .9f + loss * .1f;
    train_log_hide_progress(t->log);
    printf("Loaded: %lf seconds\n", r->load_seconds);
    printf("%zu, %.3f: %f, %f avg, %f rate, %lf seconds, %zu images, ce %f", (size_t)r->iteration,
           r->epoch, loss, t->average_loss, r->rate, r->step_seconds, (size_t)r->images,
           r->cross_entropy);
    if (r->has_consistency)
        printf(", lb %f, total %f\n", r->consistency, r->total);
    else
        printf(", lb -, total %f\n", r->total);
    fflush(stdout);
}

void report_skipped_images(const training *t) {
    int skipped = 0;
    bool *unusable = find_unusable_images(t);
    for (int i = 0; i < t->data.list.count; i++)
        if (unusable[i]) {
            fprintf(stderr, "Left out: %s\n", t->data.list.paths[i]);
            skipped++;
        }
    if (skipped)
        fprintf(stderr, "%d of %d images were left out because they cannot be read\n", skipped,
                t->data.list.count);
    free(unusable);
}

void report_dropped_updates(const training *t) {
    int dropped = finite_guard_dropped(t->guard) + half_updates_dropped(t->net);
    if (dropped)
        fprintf(stderr, "%d of %d updates were dropped because they were not finite\n", dropped,
                finite_guard_watched(t->guard));
}
