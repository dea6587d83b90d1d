#include "classifier_train.h"

#include "device_input.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "finite_guard.h"
#include "gradient_sums.h"
#include "host_random.h"
#include "loss_scale_gpu.h"
#include "network.h"
#include "pinned_floats.h"
#include "rank_device.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network.h"
#include "step_graph.h"
#include "step_losses.h"
#include "train_agreement.h"
#include "train_checks.h"
#include "train_reports.h"
#include "train_rows.h"
#include "train_signals.h"
#include "train_state.h"
#include "training.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ITERATIONS_A_SIZE = 40 }; /* random=1 draws a new size so often, as in the host */

/* ---- set-up ---- */

static unsigned choose_seed(classifier_options options) {
    unsigned seed = options.seed;
    if (!options.has_seed && getrandom(&seed, sizeof seed, 0) != sizeof seed)
        fail("cannot draw a seed: %s; give one with -seed", strerror(errno));
    unsigned first = seed_of_all(seed); /* all ranks ask for it, whatever their own options */
    if (!options.has_seed)
        seed = first;
    if (options.has_seed || options.resume != RESUME) /* its seed may be the checkpoint's */
        printf("Seed: %u\n", seed);
    return seed;
}

static network *load_training_network(char *cfg_file, char *weights_file, int clear,
                                      unsigned seed) {
    seed_host_random(seed); /* the host draws initial weights and dropout from rand() */
    share_networks(true);
    network *net = load_network(cfg_file, weights_file, clear);
    round_images_seen(net);
    return net;
}

static overlap_loader *start_loader(training *t, classifier_options options, const bool *unusable) {
    const network *net = t->net;
    prepare_training_rows(t);
    loader_settings settings = {.images = t->data.list.count,
                                .slots = net->subdivisions,
                                .share = share_of_network(net),
                                .overlap = t->dlb != NULL,
                                .seed = t->rows.seed,
                                .row_inputs = row_inputs_of(&t->rows),
                                .row_truths = net->truths,
                                .threads = options.threads,
                                .skip_bad = options.skip_bad,
                                .done = (int64_t)t->iterations,
                                .unusable = unusable,
                                .source = image_rows_source(&t->rows),
                                .memory = {make_pinned_floats, free_pinned_floats}};
    return overlap_loader_create(&settings);
}

/* `resumed` is the checkpoint's state that the run goes on from; NULL: none. */
static train_log *open_log(const training *t, const state_file *resumed) {
    if (rank_number() > 0)
        return NULL;
    if (mkdir(t->data.backup, 0777) && errno != EEXIST)
        fail("cannot make the backup folder %s: %s", t->data.backup, strerror(errno));
    check_backup_folder(t->data.backup);
    char *file = format_string("%s/%s.log.csv", t->data.backup, t->base);
    if (resumed && !train_log_cut(file, get_train_progress(resumed).log_bytes))
        fprintf(stderr, "%s lacks lines of before the checkpoint\n", file);
    train_log *log = train_log_open(file, resumed || *t->net->seen > 0,
                                    (uint64_t)t->net->max_batches, training_batch(t->net));
    free(file);
    return log;
}

/* ---- one iteration ---- */

/* Trains on the rows where the loader wrote them, those of a micro-batch's shards one after the
 * other; the host's own buffers stay unused. Returns the host's sum of losses. */
static float train_on_shard(training *t, const loaded_batch *batch, int shard) {
    network *net = t->net;
    float *inputs = net->input, *truths = net->truth;
    float sum = 0;
    begin_shard(net, shard);
    for (int slot = 0; slot < net->subdivisions; slot++) {
        int part = slot * count_own_shards(net) + shard;
        size_t row = (size_t)part * (size_t)net->batch;
        net->input = training_inputs(t, batch, row);
        net->truth = training_truths(t, batch, row);
        if (t->dlb)
            set_dlb_cost_samples(t->dlb, part, batch->ids + row);
        if (slot == net->subdivisions - 1)
            sum_gradients_next(net);
        send_training_rows(t, batch, slot);
        sum += train_network_datum(net);
        send_rows_after(t, batch, slot);
    }
    net->input = inputs;
    net->truth = truths;
    await_gradient_sums(net);
    if (losses_are_deferred(net)) {
        sum = (float)take_deferred_losses(net);
        finite_guard_check_deferred(t->guard, sum);
        report_half_updates(net);
    }
    return sum;
}

/* Of the shard that was trained on last. `sum` is the host's cross entropy; the layer's own is
 * exact for any logits. */
static loss_sums take_losses(training *t, float sum) {
    loss_sums sums = {.loss = sum};
    if (t->dlb) {
        dlb_cost_sums own = take_dlb_cost_sums(t->dlb);
        sums.cross_entropy = own.cross_entropy;
        sums.consistency = own.consistency;
        sums.teachers = own.teachers;
    }
    return sums;
}

/* Fills t->losses. Returns whether the finite guard has dropped the update; one that half=1 leaves
 * out has a loss like any other. */
static bool train_on_batch(training *t, const loaded_batch *batch) {
    finite_guard_begin(t->guard);
    begin_iteration_of_ranks(t->net);
    for (int shard = 0; shard < count_own_shards(t->net); shard++)
        t->losses[shard] = take_losses(t, train_on_shard(t, batch, shard));
    return finite_guard_end(t->guard);
}

static void note_losses(training *t, iteration_record *record) {
    loss_sums sums = add_up_losses(t);
    float loss = (float)sums.loss / (float)training_batch(t->net);
    record->loss = loss;
    record->cross_entropy = loss;
    record->total = loss;
    if (!t->dlb)
        return;
    record->cross_entropy = sums.cross_entropy / training_batch(t->net);
    record->has_consistency = sums.teachers > 0;
    record->consistency = sums.consistency / (training_batch(t->net) / 2.);
    record->total = record->cross_entropy + dlb_cost_alpha(t->dlb) * record->consistency;
}

/* On all ranks, because of an image on rank `failed`. */
static void stop_at_bad_image(training *t, int failed) {
    int image;
    const char *reason = overlap_loader_error(t->loader, &image);
    if (t->iterations > t->checkpointed)
        save_training(t);
    if (failed != rank_number())
        await_failure_of(failed);
    fail("cannot use %s of %s: %s; %s", t->data.list.paths[image], t->data.list_file, reason,
         t->skips_bad ? "no image of the list can be used" : "-skip_bad leaves such images out");
}

static size_t epochs_seen(const training *t) {
    return *t->net->seen / (size_t)t->data.list.count;
}

/* After the last iteration. */
static size_t epochs_before(const training *t) {
    return (*t->net->seen - (size_t)training_batch(t->net)) / (size_t)t->data.list.count;
}

static void save_when_due(training *t) {
    size_t epoch = epochs_seen(t), every = (size_t)t->save_every;
    if (every && epoch / every > epochs_before(t) / every)
        save_training_weights(t, "%s_%zu.weights", epoch);
    if (checkpoint_is_due_on_all(t))
        save_training(t);
}

/* random=1: another input size, for the batch that is already prefetched too. */
static void resize_when_due(training *t) {
    network *net = t->net;
    if (!net->random || t->iterations % ITERATIONS_A_SIZE)
        return;
    int size = (rand() % 11 + 4) * 32; /* the host's range, 128 to 448 */
    printf("Resizing\n%d\n", size);
    overlap_loader_pause(t->loader);
    forget_device_input(net);
    resize_network(net, size, size);
    t->rows.augment = augment_settings_of(net);
    overlap_loader_reload(t->loader, row_inputs_of(&t->rows));
}

static bool has_iterations_left(const training *t) {
    size_t last = (size_t)t->net->max_batches; /* 0: no end */
    return !last || get_current_batch(t->net) < last;
}

/* Returns whether the validation came to its end. */
static bool validate(training *t) {
    validation_result result;
    t->validation_due = true;
    train_log_hide_progress(t->log);
    char *error = train_validation_run(t->validation, t->net, &result);
    if (error) {
        save_training(t);
        if (result.failed_rank != rank_number())
            await_failure_of(result.failed_rank);
        fail("%s", error);
    }
    if (result.stopped)
        return false;
    t->validation_due = false;
    t->record.has_validation = true;
    t->record.valid_top1 = result.top1;
    t->record.valid_topk = result.topk;
    t->record.valid_cross_entropy = result.has_cross_entropy ? result.cross_entropy : NAN;
    if (train_validation_is_best(t->validation))
        save_training_weights(t, "%s_best.weights", 0);
    return true;
}

/* What comes after the weights' update. */
static void finish_iteration(training *t, bool validation_is_due) {
    if (validation_is_due && !validate(t))
        return;
    note_saving(t->saving, "the log", train_log_write(t->log, &t->record));
    if (t->iterations == 1 && !t->checkpointed &&
        rank_number() == 0) /* as the log, another run's state ends here */
        forget_checkpoint(train_saving_checkpoint(t->saving));
    save_when_due(t);
}

static void train_one_iteration(training *t) {
    network *net = t->net;
    double start = what_time_is_it_now();
    settle_device_input(net); /* the loader writes over the batch before */
    const loaded_batch *batch = overlap_loader_next(t->loader);
    int failed = first_failed_rank(!batch);
    if (failed >= 0 || !batch)
        stop_at_bad_image(t, failed);
    double loaded = what_time_is_it_now();
    bool dropped = train_on_batch(t, batch);
    iteration_record record = {.load_seconds = loaded - start};
    record.step_seconds = what_time_is_it_now() - loaded;
    record.iteration = get_current_batch(net);
    record.images = *net->seen;
    record.epoch = (double)*net->seen / t->data.list.count;
    record.rate = get_current_rate(net);
    note_losses(t, &record);
    print_iteration(t, &record, dropped);
    t->record = record;
    t->iterations++;
    finish_iteration(t, train_validation_is_due(t->validation, epochs_before(t), epochs_seen(t),
                                                !has_iterations_left(t)));
}

/* ---- the run ---- */

static _Noreturn void end_after_checks(training *t, char *data_file,
                                       const classifier_options *options) {
    train_validation_close(train_validation_open(data_file, t->cfg_file, t->net, options, -1));
    free_gradient_sums(t->net);
    printf("%s can be trained\n", t->cfg_file);
    fflush(stdout);
    ranks_end();
    exit(EXIT_SUCCESS);
}

static void report_early_stop(const training *t, int patience) {
    if (!train_validation_gives_up(t->validation) || !has_iterations_left(t))
        return;
    train_log_hide_progress(t->log);
    fprintf(stderr, "Stopped after iteration %zu of %d: no better top 1 in %d validations\n",
            get_current_batch(t->net), t->net->max_batches, patience);
}

/* Opens what a run needs, whether it goes on from `resumed` or, with NULL, does not. */
static void open_run(training *t, char *data_file, const classifier_options *options,
                     state_file *resumed) {
    bool *unusable = resumed ? get_unusable_images(resumed, t->data.list.count) : NULL;
    t->log = open_log(t, resumed);
    double best_top1 = t->log ? train_log_best_top1(t->log) : 0;
    ranks_broadcast(&best_top1, sizeof best_top1);
    t->validation = train_validation_open(data_file, t->cfg_file, t->net, options, best_top1);
    set_train_validation_size(t->validation, t->width, t->height);
    if (resumed) {
        train_progress p = get_train_progress(resumed);
        set_train_validation_progress(t->validation, p.best_top1, p.without_best);
    }
    t->loader = start_loader(t, *options, unusable);
    free(unusable);
    state_file_free(resumed);
}

/* ---- the end ---- */

static void free_training(training *t) {
    free_device_input(t->net);
    overlap_loader_free(t->loader);
    free_drawn_rows(&t->rows);
    train_validation_close(t->validation);
    note_saving(t->saving, "the log", train_log_close(t->log));
    char *lost = lost_files(t->saving);
    train_saving_free(t->saving);
    fingerprint_free(&t->print);
    fingerprint_free(&t->circumstances);
    free_classifier_data(&t->data);
    finite_guard_free(t->guard);
    free_gradient_sums(t->net);
    free_network(t->net);
    free(t->base);
    free(t->losses);
    if (lost)
        fail("could not be written: %s", lost);
}

static bool is_unfinished(const training *t) {
    return t->validation_due ||
           (has_iterations_left(t) && !train_validation_gives_up(t->validation));
}

static void run(training *t) {
    agree_on_stop_signal();
    if (t->validation_due) {
        t->validation_due = t->validation != NULL;
        finish_iteration(t, t->validation_due);
    }
    while (has_iterations_left(t) && !train_validation_gives_up(t->validation) &&
           !stop_signal_of_all()) {
        resize_when_due(t);
        train_one_iteration(t);
    }
}

void train_classifier_dlb(char *data_file, char *cfg_file, char *weights_file, int *gpus,
                          int gpu_count, int clear, classifier_options options) {
    if (!cfg_file)
        fail("usage: darknet classifier train DATA CFG [WEIGHTS] [-seed N] [-threads N] [-clear] "
             "[-skip_bad] [-valid_every N] [-patience N] [-save_every N] "
             "[-checkpoint_every N|Nm] [-resume[=weights]] [-backup FOLDER] [-on_nan=skip] "
             "[-rank_timeout N] "
             "[-check] [-stock_loader]");
    if (clear && options.resume == RESUME)
        fail("-resume goes on with the checkpoint's count of images, -clear begins at 0: they "
             "exclude "
             "each other");
    start_rank_of_each_card(gpu_count);
    watch_save_requests();
    ranks_begin();
    set_rank_timeout(options.rank_timeout);
    take_card_of_rank(gpus, gpu_count);
    training t = {.cfg_file = cfg_file,
                  .base = basecfg(cfg_file),
                  .average_loss = -1,
                  .skips_bad = options.skip_bad,
                  .clears = clear,
                  .save_every = options.save_every};
    printf("%s\n%d\n", t.base, gpu_count);
    t.seed = choose_seed(options);
    t.net = load_training_network(cfg_file, weights_file, clear, t.seed);
    t.first_images = *t.net->seen;
    t.width = t.net->w;
    t.height = t.net->h;
    t.dlb = find_dlb_cost_layer(t.net);
    printf("Learning Rate: %g, Momentum: %g, Decay: %g\n", t.net->learning_rate, t.net->momentum,
           t.net->decay);
    t.data = read_classifier_data(data_file, cfg_file, t.net, options.backup);
    check_training_network(t.net, cfg_file, &t.data, data_file,
                           options.valid_every && has_validation_list(data_file));
    allow_recipe_training(t.net);
    t.losses = allocate((size_t)count_own_shards(t.net), sizeof *t.losses);
    defer_losses(t.net);
    create_device_input(t.net);
    if (recipe_keys(t.net).cuda_graph)
        use_step_graphs(t.net);
    if (t.dlb)
        prepare_dlb_cost_training(t.dlb, t.net, cfg_file);
    printf("%d\n", t.data.list.count);
    t.rows = image_rows_of(t.net, &t.data, sampling_seed(&t), t.dlb != NULL);
    printf("%d %d\n", t.rows.augment.min_side, t.rows.augment.max_side);
    check_that_ranks_agree(&t, data_file, &options);
    report_shares(t.net);
    prepare_gradient_sums(t.net); /* also for -check: ranks on GPUs find each other here */
    if (options.check)
        end_after_checks(&t, data_file, &options);
    t.guard = finite_guard_create(t.net, cfg_file, options.drops_not_finite);
    watch_stop_signals();
    if (rank_count() > 1)
        drop_unread_output_at_stop();
    state_file *resumed = go_on_with_training(&t, &options);
    open_run(&t, data_file, &options, resumed);
    bool from_checkpoint = t.iterations || options.resume == RESUME_FROM_WEIGHTS;
    if (!has_iterations_left(&t))
        fprintf(stderr, "%s has seen %zu of max_batches=%d iterations: nothing is left to train\n",
                from_checkpoint ? train_saving_checkpoint(t.saving)->weights : weights_file,
                get_current_batch(t.net), t.net->max_batches);
    run(&t);
    if (stop_signal_of_all() && is_unfinished(&t))
        end_training_on_signal(&t);
    report_early_stop(&t, options.patience);
    save_training_weights(&t, "%s.weights", 0);
    if (t.checkpointed != t.iterations && keeps_checkpoints(t.saving))
        save_training(&t);
    report_skipped_images(&t);
    report_dropped_updates(&t);
    free_training(&t);
    ranks_end();
}
