#include "train_validation.h"

#include "fail.h"
#include "host_random.h"
#include "layer_arrays.h"
#include "network.h"
#include "ranks.h"
#include "shared_network.h"
#include "train_agreement.h"

#include <stdlib.h>

struct train_validation {
    classifier_data data;
    validation_settings settings;
    network *whole;    /* with one rank's micro-batches, which rounding may depend on; NULL: the
                          training's network does, with its own micro-batches */
    int width, height; /* of the cfg */
    int every;         /* epochs */
    int patience;
    double best_top1;
    int without_best; /* validations since the best one */
};

static bool is_asked_to_stop(void) {
    agree_on_stop_signal();
    return stop_signal_of_all() != 0;
}

/* The network again, with all rows of a micro-batch. */
static network *parse_whole_network(char *cfg_file) {
    host_random random = host_random_now(); /* it draws weights, which are not used */
    share_networks(false);
    hide_rank_output(true);
    network *whole = parse_network_cfg(cfg_file);
    hide_rank_output(false);
    set_host_random(&random);
    return whole;
}

static void copy_parameters(const network *from, network *to) {
    for (int i = 0; i < from->n; i++) {
        layer_array source[MOST_LAYER_ARRAYS], target[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&from->layers[i], source);
        list_layer_arrays(&to->layers[i], target);
        for (int k = 0; k < count; k++)
            copy_layer_array(&source[k], &target[k]);
    }
}

train_validation *train_validation_open(char *data_file, char *cfg_file, network *net,
                                        const classifier_options *options, double best_top1) {
    if (options->valid_every == 0)
        return NULL;
    if (!has_validation_list(data_file)) {
        if (options->has_valid_every || options->patience)
            fail("%s has no line valid=, which -valid_every and -patience need", data_file);
        fprintf(stderr, "%s has no line valid=: training goes without validation\n", data_file);
        return NULL;
    }
    train_validation *v = allocate(1, sizeof *v);
    v->whole = has_validation_copy(net) ? parse_whole_network(cfg_file) : NULL;
    v->data = read_validation_data(data_file, cfg_file, v->whole ? v->whole : net);
    check_that_lists_agree(&v->data);
    v->settings = (validation_settings){.threads = options->threads,
                                        .skip_bad = options->skip_bad,
                                        .name_bad = true,
                                        .stops = is_asked_to_stop};
    v->width = net->w;
    v->height = net->h;
    v->every = options->valid_every;
    v->patience = options->patience;
    v->best_top1 = best_top1;
    return v;
}

void train_validation_close(train_validation *v) {
    if (!v)
        return;
    free_classifier_data(&v->data);
    if (v->whole)
        free_network(v->whole);
    free(v);
}

bool train_validation_is_due(const train_validation *v, size_t before, size_t now, bool last) {
    return v && (last || before / (size_t)v->every < now / (size_t)v->every);
}

static void print_result(const train_validation *v, const validation_result *r) {
    printf("Validation: %d images, top 1: %f, top %d: %f", r->images, r->top1, r->top, r->topk);
    if (r->has_cross_entropy)
        printf(", ce %f", r->cross_entropy);
    printf("%s\n", train_validation_is_best(v) ? ", the best so far" : "");
    fflush(stdout);
}

static void note_result(train_validation *v, const validation_result *r) {
    v->settings.name_bad = false; /* once is enough */
    if (r->top1 > v->best_top1) {
        v->best_top1 = r->top1;
        v->without_best = 0;
    } else {
        v->without_best++;
    }
}

char *train_validation_run(train_validation *v, network *net, validation_result *result) {
    int width = net->w, height = net->h;
    bool resized = !v->whole && (width != v->width || height != v->height);
    host_random random = host_random_now(); /* a [crop] draws in validation, too */
    if (resized)
        resize_network(net, v->width, v->height);
    if (v->whole)
        copy_parameters(net, v->whole);
    char *error = validate_classifier(v->whole ? v->whole : net, &v->data, &v->settings, result);
    if (resized)
        resize_network(net, width, height);
    if (error || result->stopped)
        set_host_random(&random); /* it is done again where the training goes on */
    if (error) {
        char *sentence =
            format_string("%s, in %s%s", error, v->data.list_file,
                          v->settings.skip_bad ? "" : "; -skip_bad leaves such images out");
        free(error);
        return sentence;
    }
    if (result->stopped)
        return NULL;
    note_result(v, result);
    print_result(v, result);
    return NULL;
}

bool train_validation_is_best(const train_validation *v) {
    return v->without_best == 0;
}

void train_validation_progress(const train_validation *v, double *best_top1, int *without_best) {
    *best_top1 = v ? v->best_top1 : -1;
    *without_best = v ? v->without_best : 0;
}

void set_train_validation_progress(train_validation *v, double best_top1, int without_best) {
    if (!v)
        return;
    v->best_top1 = best_top1;
    v->without_best = without_best;
}

void set_train_validation_size(train_validation *v, int width, int height) {
    if (!v)
        return;
    v->width = width;
    v->height = height;
}

bool train_validation_gives_up(const train_validation *v) {
    return v && v->patience && v->without_best >= v->patience;
}
