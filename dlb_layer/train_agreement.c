#include "train_agreement.h"

#include "compute_threads.h"
#include "fail.h"
#include "file_bytes.h"
#include "layer_arrays.h"
#include "ranks.h"
#include "shared_network.h"
#include "train_resume.h"
#include "train_signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- signals ---- */

static int agreed_signal;       /* with several ranks */
static bool save_was_requested; /* by SIGUSR1 or rank 0's clock */

enum { INTERRUPTS, TERMINATIONS, SAVES, SIGNAL_COUNT };

static void count_signals(double *counts) {
    int signal = train_stop_signal();
    counts[INTERRUPTS] = signal == SIGINT;
    counts[TERMINATIONS] = signal == SIGTERM;
    counts[SAVES] = take_save_request();
}

static void take_signals(const double *counts) {
    if (counts[TERMINATIONS] > 0)
        agreed_signal = SIGTERM;
    else if (counts[INTERRUPTS] > 0)
        agreed_signal = SIGINT;
    if (agreed_signal)
        drop_unread_output();
    save_was_requested |= counts[SAVES] > 0;
}

void agree_on_stop_signal(void) {
    double counts[SIGNAL_COUNT];
    if (rank_count() == 1)
        return;
    count_signals(counts);
    ranks_sum(counts, SIGNAL_COUNT);
    take_signals(counts);
}

int stop_signal_of_all(void) {
    return rank_count() == 1 ? train_stop_signal() : agreed_signal;
}

bool checkpoint_is_due_on_all(const training *t) {
    bool asked = save_was_requested;
    save_was_requested = false;
    if (rank_count() == 1)
        asked = take_save_request() || checkpoint_is_due_by_clock(t->saving);
    return asked || checkpoint_is_due_after(t->saving, t->iterations);
}

/* ---- an iteration ---- */

/* `count` numbers of `counts` and all shards' losses, (shards), are summed over the ranks. Only one
 * rank has a shard's, so these sums round nothing. */
static void share_losses(const training *t, double *counts, int count, loss_sums *losses,
                         int shards) {
    enum { LOSSES = sizeof(loss_sums) / sizeof(double) };
    row_share share = share_of_network(t->net);
    size_t numbers = (size_t)count + (size_t)shards * LOSSES;
    double *all = allocate(numbers, sizeof *all);
    memcpy(all, counts, (size_t)count * sizeof *all);
    memcpy(all + count + (size_t)share.first * LOSSES, t->losses,
           (size_t)share.own * sizeof *t->losses);
    ranks_sum(all, numbers);
    memcpy(counts, all, (size_t)count * sizeof *all);
    memcpy(losses, all + count, (size_t)shards * sizeof *losses);
    free(all);
}

static loss_sums add_in_order(const loss_sums *losses, int shards) {
    loss_sums sums = {0};
    for (int i = 0; i < shards; i++) {
        sums.loss += losses[i].loss;
        sums.cross_entropy += losses[i].cross_entropy;
        sums.consistency += losses[i].consistency;
        sums.teachers += losses[i].teachers;
    }
    return sums;
}

loss_sums add_up_losses(const training *t) {
    int shards = share_of_network(t->net).shards;
    double counts[SIGNAL_COUNT];
    if (rank_count() == 1)
        return add_in_order(t->losses, shards);
    loss_sums *losses = allocate((size_t)shards, sizeof *losses);
    count_signals(counts);
    counts[SAVES] += rank_number() == 0 && checkpoint_is_due_by_clock(t->saving);
    share_losses(t, counts, SIGNAL_COUNT, losses, shards);
    take_signals(counts);
    loss_sums sums = add_in_order(losses, shards);
    free(losses);
    return sums;
}

/* ---- the start ---- */

unsigned seed_of_all(unsigned seed) {
    ranks_broadcast(&seed, sizeof seed);
    return seed;
}

void take_network_of_rank_0(network *net) {
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++) {
            ranks_broadcast(arrays[k].values, arrays[k].count * sizeof(float));
            push_layer_array(&arrays[k]);
        }
    }
    ranks_broadcast(net->seen, sizeof *net->seen);
}

static void add_number(fingerprint *print, const char *name, double number) {
    char *text = format_string("%.17g", number);
    fingerprint_add(print, name, text);
    free(text);
}

static void add_crc(fingerprint *print, const char *name, uLong crc) {
    char *text = format_string("crc32 %08lx", crc);
    fingerprint_add(print, name, text);
    free(text);
}

/* By the program's bytes: all that it was built from. */
static void add_build(fingerprint *print) {
    size_t size;
    char *bytes = read_file_bytes("/proc/self/exe", &size);
    if (!bytes)
        fail("cannot read this program's own file: %s", strerror(errno));
    add_crc(print, "program", crc32_z(0, (const unsigned char *)bytes, size));
    free(bytes);
}

static void add_parameters(fingerprint *print, const network *net) {
    uLong crc = 0;
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++)
            crc = crc32_z(crc, (const unsigned char *)arrays[k].values,
                          arrays[k].count * sizeof(float));
    }
    add_crc(print, "weights at the start", crc);
    add_number(print, "images seen before", (double)*net->seen);
}

static void add_switch(fingerprint *print, const char *name, bool is_on) {
    fingerprint_add(print, name, is_on ? "on" : "off");
}

/* Those that decide when all ranks do something, and what they do alike. */
static void add_options(fingerprint *print, const classifier_options *o) {
    add_number(print, "option -valid_every", o->valid_every);
    add_number(print, "option -patience", o->patience);
    add_number(print, "option -save_every", o->save_every);
    add_number(print, "option -checkpoint_every", (double)o->checkpoint_every.iterations);
    add_number(print, "option -checkpoint_every in minutes", o->checkpoint_every.minutes);
    add_switch(print, "option -resume", o->resume == RESUME);
    add_switch(print, "option -resume=weights", o->resume == RESUME_FROM_WEIGHTS);
    add_switch(print, "option -check", o->check);
    add_switch(print, "option -skip_bad on all ranks", o->skip_bad);
    add_switch(print, "option -on_nan=skip", o->drops_not_finite);
    add_number(print, "option -nogpu", gpu_index < 0);
}

/* Ends the program where another rank's is not rank 0's. */
static void compare_with_rank_0(const fingerprint *print) {
    size_t size = print->size;
    ranks_broadcast(&size, sizeof size);
    char *first = allocate(size, 1);
    if (rank_number() == 0)
        memcpy(first, print->bytes, size);
    ranks_broadcast(first, size);
    char *difference = fingerprint_difference(first, size, print);
    int failed = first_failed_rank(difference != NULL);
    if (difference && failed == rank_number())
        fail("it would not train what rank 0 does: there %s here", difference);
    if (failed >= 0)
        await_failure_of(failed);
    free(first);
}

void check_that_ranks_agree(const training *t, char *data_file, const classifier_options *options) {
    if (rank_count() == 1)
        return;
    fingerprint print = training_fingerprint(t->cfg_file, &t->data, options);
    add_number(&print, "seed", t->seed);
    add_build(&print);
    add_parameters(&print, t->net);
    add_options(&print, options);
    if (!depends_on_ranks(t->net))
        add_number(&print, "number of threads", count_compute_threads());
    fingerprint_add(&print, "line valid= of the data file",
                    has_validation_list(data_file) ? "there" : "missing");
    add_number(&print, "number top= of the data file", t->data.top);
    compare_with_rank_0(&print);
    fingerprint_free(&print);
}

void check_that_lists_agree(const classifier_data *validation) {
    fingerprint print = {0};
    if (rank_count() == 1)
        return;
    add_image_list(&print, "validation list", validation);
    compare_with_rank_0(&print);
    fingerprint_free(&print);
}
