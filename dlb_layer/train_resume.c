#include "train_resume.h"

#include "compute_threads.h"
#include "cpu_backend.h"
#include "fail.h"
#include "file_bytes.h"
#include "network.h"
#include "network_device.h"
#include "ranks.h"
#include "recipe.h"
#include "saved_weights.h"
#include "shared_network.h"
#include "train_agreement.h"
#include "train_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const char RANKS[] = "number of ranks";

/* ---- what the result depends on ---- */

static void add_cfg(fingerprint *print, const char *cfg_file) {
    size_t size;
    char *text = read_file_bytes(cfg_file, &size), *to = text;
    if (!text)
        fail("cannot read %s: %s", cfg_file, strerror(errno));
    for (const char *from = text; *from; from++)
        if (*from != '\r')
            *to++ = *from;
    *to = '\0';
    fingerprint_add(print, "cfg", text);
    free(text);
}

static void add_count(fingerprint *print, const char *name, uint64_t number) {
    char *text = format_string("%" PRIu64, number);
    fingerprint_add(print, name, text);
    free(text);
}

static uLong add_to_crc(uLong crc, const void *bytes, size_t size) {
    return crc32_z(crc, bytes, size);
}

void add_image_list(fingerprint *print, const char *name, const classifier_data *data) {
    uLong crc = 0;
    for (int i = 0; i < data->list.count; i++)
        crc = add_to_crc(crc, data->list.paths[i], strlen(data->list.paths[i]) + 1);
    char *text = format_string("%d images, crc32 %08lx", data->list.count, crc);
    fingerprint_add(print, name, text);
    free(text);
}

static void add_labels(fingerprint *print, const classifier_data *data) {
    uLong crc = add_to_crc(0, data->list.labels, (size_t)data->list.count * sizeof(int));
    if (data->hierarchy)
        crc = add_to_crc(crc, data->hierarchy->parent, (size_t)data->hierarchy->n * sizeof(int));
    char *text = format_string("crc32 %08lx for %d classes", crc, data->classes);
    fingerprint_add(print, "labels", text);
    free(text);
}

fingerprint training_fingerprint(const char *cfg_file, const classifier_data *data,
                                 const classifier_options *options) {
    fingerprint print = {0};
    add_cfg(&print, cfg_file);
    add_image_list(&print, "training list", data);
    add_labels(&print, data);
    /* Not what is on: until the checkpoint a run without them left nothing out, so that it may go
     * on with them. */
    if (!options->skip_bad)
        fingerprint_add(&print, "option -skip_bad", "off");
    if (!options->drops_not_finite)
        fingerprint_add(&print, "option -on_nan", "stop");
    return print;
}

fingerprint training_circumstances(const network *net) {
    fingerprint print = {0};
    fingerprint_add(&print, "device", is_on_gpu(net) ? "GPU" : "CPU");
    add_count(&print, "number of layers that oneDNN runs", (uint64_t)count_taken_over(net));
    if (depends_on_ranks(net))
        add_count(&print, RANKS, (uint64_t)rank_count());
    add_count(&print, "number of threads", (uint64_t)count_compute_threads());
    return print;
}

/* ---- going on ---- */

static void check_print(const state_file *file, const fingerprint *now) {
    size_t size;
    const char *bytes = find_state(file, "fingerprint", &size);
    char *difference = fingerprint_difference(bytes ? bytes : "", bytes ? size : 0, now);
    if (difference)
        fail("%s is another training's: %s; -resume=weights starts from its weights alone",
             state_file_path(file), difference);
}

/* Those of the file; one that is older than trainings on several ranks is of one, if that matters.
 */
static fingerprint circumstances_of(const state_file *file, bool needs_ranks) {
    size_t size;
    const char *bytes = find_state(file, "circumstances", &size);
    fingerprint print = {.size = bytes ? size : 0};
    print.bytes = allocate(print.size, 1);
    if (bytes)
        memcpy(print.bytes, bytes, size);
    if (needs_ranks && !fingerprint_text(print.bytes, print.size, RANKS))
        add_count(&print, RANKS, 1);
    return print;
}

/* Which rounding has nothing to do with. */
static void compare_normalisation(const state_file *file, const fingerprint *before,
                                  const fingerprint *now, const network *net) {
    const char *was = fingerprint_text(before->bytes, before->size, RANKS);
    const char *is = fingerprint_text(now->bytes, now->size, RANKS);
    const char *rows = rows_of_normalisation(net);
    if (is && strcmp(was, is) != 0 && rows && !recipe_keys(net).sync_bn)
        fprintf(stderr,
                "%s: batch normalisation goes by the rows of %s, so that another number of ranks "
                "trains otherwise; a training with sync_bn=1%s does not\n",
                state_file_path(file), rows, is_on_gpu(net) ? "" : " or shards=");
}

static void compare_circumstances(const state_file *file, const fingerprint *now,
                                  const network *net) {
    bool has_ranks = fingerprint_text(now->bytes, now->size, RANKS) != NULL;
    fingerprint before = circumstances_of(file, has_ranks);
    char *difference = fingerprint_difference(before.bytes, before.size, now);
    if (difference)
        fprintf(stderr, "%s: %s. The result can differ in the last bits from that of one process\n",
                state_file_path(file), difference);
    compare_normalisation(file, &before, now, net);
    free(difference);
    fingerprint_free(&before);
}

static void check_seed(const state_file *file, const classifier_options *options) {
    unsigned seed = get_train_progress(file).seed;
    if (options->has_seed && options->seed != seed)
        fail("%s is another training's: -seed was %u and is %u", state_file_path(file), seed,
             options->seed);
}

static void check_layers(const network *net, const char *cfg_file) {
    int unknown = find_layer_without_state(net);
    if (unknown >= 0)
        fail("%s: layer %d, a [%s], keeps what no state file has; -resume=weights starts from the "
             "weights alone",
             cfg_file, unknown, get_layer_string(net->layers[unknown].type));
}

/* Rank 0 reads the file. */
static void take_weights(network *net, char *file) {
    if (rank_number() == 0)
        load_own_weights(net, file);
    if (rank_count() > 1)
        take_network_of_rank_0(net);
}

static state_file *resume_exactly(checkpoint *c, const classifier_options *options, network *net,
                                  const char *cfg_file, const fingerprint *print,
                                  const fingerprint *circumstances) {
    check_layers(net, cfg_file);
    state_file *file = share_state_file(rank_number() ? NULL : find_checkpoint(c));
    if (!file) {
        fprintf(stderr, "There is no %s: the training starts from the beginning\n", c->state);
        if (access(c->weights, F_OK) == 0)
            fprintf(
                stderr,
                "%s, which is there without it, will be overwritten; -resume=weights starts from "
                "it\n",
                c->weights);
        return NULL;
    }
    check_print(file, print);
    check_seed(file, options);
    compare_circumstances(file, circumstances, net);
    take_weights(net, c->weights);
    train_progress progress = get_train_progress(file);
    fprintf(stderr, "Going on from %s and %s, written after %" PRIu64 " iterations\n", c->weights,
            c->state, progress.iterations);
    return file;
}

static void resume_from_weights(const checkpoint *c, network *net) {
    if (rank_number() == 0 && access(c->weights, R_OK))
        fail("-resume=weights: cannot read %s: %s", c->weights, strerror(errno));
    take_weights(net, c->weights);
    fprintf(stderr,
            "Starting from %s alone: momentum, the random numbers, the order of the images and, "
            "for one iteration, [dlb_cost]'s teacher are lost\n",
            c->weights);
}

state_file *resume_training(checkpoint *c, const classifier_options *options, network *net,
                            const char *cfg_file, const fingerprint *print,
                            const fingerprint *circumstances) {
    switch (options->resume) {
    case RESUME:
        return resume_exactly(c, options, net, cfg_file, print, circumstances);
    case RESUME_FROM_WEIGHTS:
        resume_from_weights(c, net);
        return NULL;
    case START_ANEW:
        if (has_checkpoint(c))
            fprintf(stderr,
                    "%s is there, but without -resume this training does not go on from it: it "
                    "starts a checkpoint of its own\n",
                    c->state);
        return NULL;
    }
    return NULL;
}
