#include "training.h"

#include "fail.h"
#include "network.h"
#include "ranks.h"
#include "shared_network.h"
#include "train_agreement.h"
#include "train_resume.h"
#include "train_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int training_batch(const network *net) {
    return rows_of_all(net) * net->subdivisions;
}

void round_images_seen(network *net) {
    *net->seen -= *net->seen % (size_t)(training_batch(net) > 0 ? training_batch(net) : 1);
}

/* A run that goes on from weights must not see the order of its first part again. */
uint64_t sampling_seed(const training *t) {
    return t->seed ^ (uint64_t)t->first_images << 32;
}

/* ---- saving ---- */

bool save_training_weights(const training *t, const char *format, size_t number) {
    if (rank_number() > 0)
        return true;
    char *name = format_string(format, t->base, number);
    train_log_hide_progress(t->log);
    bool good = train_saving_weights(t->saving, t->net, name);
    free(name);
    return good;
}

static train_state state_of(const training *t, uint64_t log_bytes) {
    train_state s = {.net = t->net,
                     .images = t->data.list.count,
                     .print = &t->print,
                     .circumstances = &t->circumstances};
    train_progress *p = &s.progress;
    memset(p, 0, sizeof *p); /* the gaps between its members, too */
    p->first_images = t->first_images;
    p->images = *t->net->seen;
    p->iterations = t->iterations;
    p->log_bytes = log_bytes;
    train_validation_progress(t->validation, &p->best_top1, &p->without_best);
    p->seed = t->seed;
    p->updates = *t->net->t;
    p->width = t->net->w;
    p->height = t->net->h;
    p->average_loss = t->average_loss;
    p->validation_due = t->validation_due;
    if (t->validation_due)
        p->record = t->record;
    return s;
}

bool *find_unusable_images(const training *t) {
    bool *unusable = allocate((size_t)t->data.list.count, sizeof *unusable);
    overlap_loader_pause(t->loader);
    for (int i = 0; i < t->data.list.count; i++)
        unusable[i] = overlap_loader_skipped(t->loader, i);
    if (t->skips_bad)
        ranks_any(unusable, (size_t)t->data.list.count);
    return unusable;
}

/* On rank 0. */
static bool write_state(const training *t, logit_ring_contents ring, const bool *unusable) {
    uint64_t log_bytes = 0;
    train_log_hide_progress(t->log);
    char *obstacle = train_log_to_disk(t->log, &log_bytes);
    train_state state = state_of(t, log_bytes);
    state.ring = ring;
    state.unusable = unusable;
    return train_saving_write_checkpoint(t->saving, t->net, put_train_state, &state, obstacle);
}

void save_training(training *t) {
    if (!t->has_state) {
        save_training_weights(t, "%s.backup", 0);
        return;
    }
    logit_ring *gathered = NULL;
    logit_ring_contents ring = {0};
    bool *unusable = find_unusable_images(t);
    if (t->dlb)
        ring = gather_ring(t->net, t->dlb, &gathered);
    bool good = rank_number() == 0 && write_state(t, ring, unusable);
    ranks_broadcast(&good, sizeof good);
    if (good)
        t->checkpointed = t->iterations;
    logit_ring_free(gathered);
    free(unusable);
}

/* ---- going on ---- */

/* Says so where it is not. */
static bool has_known_state(const network *net, const char *cfg_file) {
    int unknown = find_layer_without_state(net);
    if (unknown >= 0)
        fprintf(stderr,
                "%s: layer %d, a [%s], keeps what no state file has: -resume will not work\n",
                cfg_file, unknown, get_layer_string(net->layers[unknown].type));
    return unknown < 0;
}

/* Puts back what the state has, but for what is opened later. */
static void restore(training *t, const state_file *resumed) {
    train_progress p = get_train_progress(resumed);
    network *net = t->net;
    if (p.width != net->w || p.height != net->h)
        resize_network(net, p.width, p.height);
    restore_train_state(resumed, net, t->dlb);
    t->seed = p.seed;
    t->first_images = p.first_images;
    t->iterations = t->checkpointed = p.iterations;
    t->average_loss = p.average_loss;
    t->validation_due = p.validation_due;
    t->record = p.record;
}

state_file *go_on_with_training(training *t, const classifier_options *options) {
    t->print = training_fingerprint(t->cfg_file, &t->data, options);
    t->circumstances = training_circumstances(t->net);
    t->saving = train_saving_create(t->data.backup, t->base, options->checkpoint_every);
    t->has_state = has_known_state(t->net, t->cfg_file);
    state_file *resumed = resume_training(train_saving_checkpoint(t->saving), options, t->net,
                                          t->cfg_file, &t->print, &t->circumstances);
    if (t->clears)
        *t->net->seen = 0;
    round_images_seen(t->net);
    t->first_images = *t->net->seen;
    if (resumed)
        restore(t, resumed);
    if (options->resume == RESUME && !options->has_seed)
        printf("Seed: %u\n", t->seed);
    t->rows.seed = sampling_seed(t);
    t->rows.augment = augment_settings_of(t->net);
    return resumed;
}

/* ---- leaving off ---- */

_Noreturn void end_training_on_signal(training *t) {
    if (t->checkpointed != t->iterations || t->validation_due)
        save_training(t);
    fprintf(stderr, "%s after iteration %zu%s\n", strsignal(stop_signal_of_all()),
            get_current_batch(t->net),
            t->checkpointed && t->checkpointed == t->iterations ? "; -resume goes on from there"
                                                                : "");
    char *error = train_log_close(t->log);
    if (error)
        fprintf(stderr, "darknet: %s\n", error);
    int status = 128 + stop_signal_of_all();
    char *lost = lost_files(t->saving);
    if (lost) {
        fprintf(stderr, "darknet: could not be written: %s\n", lost);
        status = EXIT_FAILURE;
    }
    fflush(NULL);
    ranks_end();
    _exit(status); /* no exit handlers: loader threads are still there */
}
