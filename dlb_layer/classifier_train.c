#include "classifier_train.h"

#include "classifier_data.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "image_rows.h"
#include "network.h"
#include "overlap_loader.h"
#include "recipe.h"
#include "step_losses.h"
#include "train_checks.h"
#include "train_log.h"
#include "train_validation.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ITERATIONS_A_SIZE = 40,    /* random=1 draws a new size so often, as in the host */
    ITERATIONS_A_BACKUP = 1000 /* as in the host */
};

typedef struct {
    network *net;
    layer *dlb; /* NULL for a cfg without [dlb_cost] */
    char *cfg_file;
    char *base; /* the cfg's name, without folder and extension */
    classifier_data data;
    image_rows rows;
    overlap_loader *loader;
    train_log *log;
    train_validation *validation; /* NULL without */
    float average_loss; /* smoothed, as the host prints it; -1 before the first iteration */
    int iterations;     /* done by this process */
    bool skips_bad;
    int save_every; /* epochs from one numbered weights file to the next; 0: none */
} training;

/* ---- set-up ---- */

static int batch_of(const network *net) {
    return net->batch * net->subdivisions;
}

static unsigned choose_seed(classifier_options options) {
    unsigned seed = options.seed;
    if (!options.has_seed && getrandom(&seed, sizeof seed, 0) != sizeof seed)
        fail("cannot draw a seed: %s; give one with -seed", strerror(errno));
    printf("Seed: %u\n", seed);
    return seed;
}

static network *load_training_network(char *cfg_file, char *weights_file, int clear,
                                      unsigned seed) {
    srand(seed); /* the host draws initial weights and dropout from rand() */
    network *net = load_network(cfg_file, weights_file, clear);
    /* Whole iterations only, so that the last micro-batch of an iteration stays the one after
     * which the host updates. */
    *net->seen -= *net->seen % (size_t)(batch_of(net) > 0 ? batch_of(net) : 1);
    return net;
}

/* A run that goes on must not see the order of its first part again. */
static uint64_t sampling_seed(const network *net, unsigned seed) {
    return seed ^ (uint64_t)*net->seen << 32;
}

static overlap_loader *start_loader(training *t, classifier_options options) {
    const network *net = t->net;
    loader_settings settings = {.images = t->data.list.count,
                                .slots = net->subdivisions,
                                .rows = net->batch,
                                .overlap = t->dlb != NULL,
                                .seed = t->rows.seed,
                                .row_inputs = net->inputs,
                                .row_truths = net->truths,
                                .threads = options.threads,
                                .skip_bad = options.skip_bad,
                                .source = image_rows_source(&t->rows)};
    return overlap_loader_create(&settings);
}

static train_log *open_log(const training *t) {
    if (mkdir(t->data.backup, 0777) && errno != EEXIST)
        fail("cannot make the backup folder %s: %s", t->data.backup, strerror(errno));
    check_backup_folder(t->data.backup);
    char *file = format_string("%s/%s.log.csv", t->data.backup, t->base);
    train_log *log =
        train_log_open(file, *t->net->seen > 0, (uint64_t)t->net->max_batches, batch_of(t->net));
    free(file);
    return log;
}

/* ---- one iteration ---- */

/* Trains on the batch where the loader wrote it; the host's own buffers stay unused. */
static float train_on_batch(training *t, const loaded_batch *batch) {
    network *net = t->net;
    float *inputs = net->input, *truths = net->truth;
    float sum = 0;
    for (int slot = 0; slot < net->subdivisions; slot++) {
        size_t row = (size_t)slot * (size_t)net->batch;
        net->input = batch->inputs + row * (size_t)net->inputs;
        net->truth = batch->truths + row * (size_t)net->truths;
        if (t->dlb)
            set_dlb_cost_samples(t->dlb, slot, batch->ids + row);
        sum += train_network_datum(net);
    }
    net->input = inputs;
    net->truth = truths;
    if (losses_are_deferred(net))
        sum = (float)take_deferred_losses(net);
    return sum / (float)batch_of(net);
}

/* `loss` is the host's cross entropy per image; the layer's own is exact for any logits. */
static void add_losses(training *t, float loss, iteration_record *record) {
    record->loss = loss;
    record->cross_entropy = loss;
    record->total = loss;
    if (!t->dlb)
        return;
    dlb_cost_sums sums = take_dlb_cost_sums(t->dlb);
    record->cross_entropy = sums.cross_entropy / batch_of(t->net);
    record->has_consistency = sums.teachers > 0;
    record->consistency = sums.consistency / (batch_of(t->net) / 2.);
    record->total = record->cross_entropy + dlb_cost_alpha(t->dlb) * record->consistency;
}

static void print_iteration(training *t, const iteration_record *r) {
    float loss = (float)r->loss;
    if (t->average_loss == -1)
        t->average_loss = loss;
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

static void save(const training *t, const char *format, size_t number) {
    char *name = format_string(format, t->base, number);
    char *path = format_string("%s/%s", t->data.backup, name);
    train_log_hide_progress(t->log);
    overlap_loader_pause(t->loader); /* the host may exit, with handlers that must meet no worker */
    save_weights(t->net, path);
    free(path);
    free(name);
}

static void stop_at_bad_image(training *t) {
    int image;
    const char *reason = overlap_loader_error(t->loader, &image);
    if (t->iterations)
        save(t, "%s.backup", 0);
    fail("cannot use %s of %s: %s; %s", t->data.list.paths[image], t->data.list_file, reason,
         t->skips_bad ? "no image of the list can be used" : "-skip_bad leaves such images out");
}

static size_t epochs_seen(const training *t) {
    return *t->net->seen / (size_t)t->data.list.count;
}

static void save_when_due(training *t, size_t epoch_before) {
    size_t epoch = epochs_seen(t), every = (size_t)t->save_every;
    if (every && epoch / every > epoch_before / every)
        save(t, "%s_%zu.weights", epoch);
    if (get_current_batch(t->net) % ITERATIONS_A_BACKUP == 0)
        save(t, "%s.backup", 0);
}

/* random=1: another input size, for the batch that is already prefetched too. */
static void resize_when_due(training *t) {
    network *net = t->net;
    if (!net->random || t->iterations % ITERATIONS_A_SIZE)
        return;
    int size = (rand() % 11 + 4) * 32; /* the host's range, 128 to 448 */
    printf("Resizing\n%d\n", size);
    overlap_loader_pause(t->loader);
    resize_network(net, size, size);
    t->rows.augment = augment_settings_of(net);
    overlap_loader_reload(t->loader, net->inputs);
}

static bool has_iterations_left(const training *t) {
    size_t last = (size_t)t->net->max_batches; /* 0: no end */
    return !last || get_current_batch(t->net) < last;
}

static void validate_when_due(training *t, size_t epoch_before, iteration_record *record) {
    validation_result result;
    if (!train_validation_is_due(t->validation, epoch_before, epochs_seen(t),
                                 !has_iterations_left(t)))
        return;
    train_log_hide_progress(t->log);
    char *error = train_validation_run(t->validation, t->net, &result);
    if (error) {
        save(t, "%s.backup", 0);
        fail("%s", error);
    }
    record->has_validation = true;
    record->valid_top1 = result.top1;
    record->valid_topk = result.topk;
    record->valid_cross_entropy = result.has_cross_entropy ? result.cross_entropy : NAN;
    if (train_validation_is_best(t->validation))
        save(t, "%s_best.weights", 0);
}

static void train_one_iteration(training *t) {
    network *net = t->net;
    size_t epoch = epochs_seen(t);
    double start = what_time_is_it_now();
    const loaded_batch *batch = overlap_loader_next(t->loader);
    if (!batch)
        stop_at_bad_image(t);
    double loaded = what_time_is_it_now();
    float loss = train_on_batch(t, batch);
    iteration_record record = {.load_seconds = loaded - start};
    record.step_seconds = what_time_is_it_now() - loaded;
    record.iteration = get_current_batch(net);
    record.images = *net->seen;
    record.epoch = (double)*net->seen / t->data.list.count;
    record.rate = get_current_rate(net);
    add_losses(t, loss, &record);
    print_iteration(t, &record);
    validate_when_due(t, epoch, &record);
    train_log_write(t->log, &record);
    t->iterations++;
    save_when_due(t, epoch);
}

/* ---- the run ---- */

static _Noreturn void end_after_checks(training *t, char *data_file,
                                       const classifier_options *options) {
    train_validation_close(train_validation_open(data_file, t->cfg_file, t->net, options, -1));
    printf("%s can be trained\n", t->cfg_file);
    exit(EXIT_SUCCESS);
}

static void report_early_stop(const training *t, int patience) {
    if (!train_validation_gives_up(t->validation) || !has_iterations_left(t))
        return;
    train_log_hide_progress(t->log);
    fprintf(stderr, "Stopped after iteration %zu of %d: no better top 1 in %d validations\n",
            get_current_batch(t->net), t->net->max_batches, patience);
}

static void report_skipped_images(const training *t) {
    int skipped = 0;
    overlap_loader_pause(t->loader);
    for (int i = 0; i < t->data.list.count; i++)
        if (overlap_loader_skipped(t->loader, i)) {
            fprintf(stderr, "Left out: %s\n", t->data.list.paths[i]);
            skipped++;
        }
    if (skipped)
        fprintf(stderr, "%d of %d images were left out because they cannot be read\n", skipped,
                t->data.list.count);
}

void train_classifier_dlb(char *data_file, char *cfg_file, char *weights_file, int *gpus,
                          int gpu_count, int clear, classifier_options options) {
    if (!cfg_file)
        fail("usage: darknet classifier train DATA CFG [WEIGHTS] [-seed N] [-threads N] [-clear] "
             "[-skip_bad] [-valid_every N] [-patience N] [-save_every N] "
             "[-backup FOLDER] [-check] [-stock_loader]");
    if (gpu_count > 1)
        fail("training on %d GPUs works only with -stock_loader, without [dlb_cost]", gpu_count);
#ifdef GPU
    cuda_set_device(gpus[0]);
#else
    (void)gpus;
#endif
    training t = {.cfg_file = cfg_file,
                  .base = basecfg(cfg_file),
                  .average_loss = -1,
                  .skips_bad = options.skip_bad,
                  .save_every = options.save_every};
    printf("%s\n%d\n", t.base, gpu_count);
    unsigned seed = choose_seed(options);
    t.net = load_training_network(cfg_file, weights_file, clear, seed);
    t.dlb = find_dlb_cost_layer(t.net);
    printf("Learning Rate: %g, Momentum: %g, Decay: %g\n", t.net->learning_rate, t.net->momentum,
           t.net->decay);
    t.data = read_classifier_data(data_file, cfg_file, t.net, options.backup);
    check_training_network(t.net, cfg_file, &t.data, data_file);
    allow_recipe_training(t.net);
    defer_losses(t.net);
    if (t.dlb)
        prepare_dlb_cost_training(t.dlb, t.net, cfg_file);
    printf("%d\n", t.data.list.count);
    t.rows = image_rows_of(t.net, &t.data, sampling_seed(t.net, seed), t.dlb != NULL);
    printf("%d %d\n", t.rows.augment.min_side, t.rows.augment.max_side);
    if (options.check)
        end_after_checks(&t, data_file, &options);
    t.log = open_log(&t);
    t.validation =
        train_validation_open(data_file, cfg_file, t.net, &options, train_log_best_top1(t.log));
    if (t.net->max_batches && get_current_batch(t.net) >= (size_t)t.net->max_batches)
        fprintf(stderr, "%s has seen %zu of max_batches=%d iterations: nothing is left to train\n",
                weights_file, get_current_batch(t.net), t.net->max_batches);
    t.loader = start_loader(&t, options);
    while (has_iterations_left(&t) && !train_validation_gives_up(t.validation)) {
        resize_when_due(&t);
        train_one_iteration(&t);
    }
    report_early_stop(&t, options.patience);
    save(&t, "%s.weights", 0);
    report_skipped_images(&t);
    overlap_loader_free(t.loader);
    train_validation_close(t.validation);
    train_log_close(t.log);
    free_classifier_data(&t.data);
    free_network(t.net);
    free(t.base);
}
