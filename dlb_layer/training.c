#include "training.h"

#include "fail.h"
#include "network.h"
#include "train_resume.h"
#include "train_signals.h"
#include "train_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int training_batch(const network *net) {
    return net->batch * net->subdivisions;
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
    char *name = format_string(format, t->base, number);
    train_log_hide_progress(t->log);
    bool good = train_saving_weights(t->saving, t->net, name);
    free(name);
    return good;
}

static train_state state_of(const training *t, uint64_t log_bytes) {
    train_state s = {.net = t->net,
                     .dlb = t->dlb,
                     .loader = t->loader,
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

void save_training(training *t) {
    uint64_t log_bytes = 0;
    if (!t->has_state) {
        save_training_weights(t, "%s.backup", 0);
        return;
    }
    train_log_hide_progress(t->log);
    overlap_loader_pause(t->loader);
    char *obstacle = train_log_to_disk(t->log, &log_bytes);
    train_state state = state_of(t, log_bytes);
    if (train_saving_write_checkpoint(t->saving, t->net, put_train_state, &state, obstacle))
        t->checkpointed = t->iterations;
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
    fprintf(stderr, "%s after iteration %zu%s\n", strsignal(train_stop_signal()),
            get_current_batch(t->net),
            t->checkpointed && t->checkpointed == t->iterations ? "; -resume goes on from there"
                                                                : "");
    char *error = train_log_close(t->log);
    if (error)
        fprintf(stderr, "darknet: %s\n", error);
    fflush(NULL);
    _exit(128 + train_stop_signal()); /* no exit handlers: loader threads are still there */
}
