#include "classifier_valid.h"

#include "batched_prediction.h"
#include "dlb_loss.h"
#include "fail.h"
#include "network.h"
#include "ranks.h"
#include "tree.h"

#include <stdlib.h>

typedef struct {
    network *net;
    const classifier_data *data;
    FILE *lines;
    int *best; /* (top), the likeliest classes of the image at hand */
    int images, right, among_top;
    double
        *losses; /* (data->list.count), of each image; one after the other on any number of ranks */
    bool has_cross_entropy;
} tally;

static void print_lines(const tally *t, int image, int label, const float *p) {
    fprintf(t->lines, "%s, %d, %f, %f, \n", t->data->list.paths[image], label, p[0],
            t->data->classes > 1 ? p[1] : 0);
    fprintf(t->lines, "%d: top 1: %f, top %d: %f\n", t->images - 1,
            (float)t->right / (float)t->images, t->data->top,
            (float)t->among_top / (float)t->images);
}

static void add_cross_entropy(tally *t, const image_prediction *p, int label) {
    t->has_cross_entropy = p->logits != NULL;
    if (!p->logits || label == NO_LABEL)
        return;
    dlb_softmax s = dlb_softmax_of(p->logits, t->data->classes, p->temperature);
    t->losses[p->image] = -dlb_log_probability(s, p->logits[label], p->temperature);
}

static void count_image(void *context, const image_prediction *p) {
    tally *t = context;
    int label = t->data->list.labels[p->image];
    if (t->net->hierarchy)
        hierarchy_predictions(p->outputs, t->net->outputs, t->net->hierarchy, 1, 1);
    top_k(p->outputs, t->data->classes, t->data->top, t->best);
    t->images++;
    t->right += t->best[0] == label;
    for (int k = 0; k < t->data->top; k++)
        t->among_top += t->best[k] == label;
    add_cross_entropy(t, p, label);
    if (t->lines)
        print_lines(t, p->image, label, p->outputs);
}

/* Each image was counted on one rank, and its loss is 0 elsewhere. */
static void join_tallies(tally *t) {
    double counts[] = {t->images, t->right, t->among_top};
    ranks_sum(counts, sizeof counts / sizeof *counts);
    t->images = (int)counts[0];
    t->right = (int)counts[1];
    t->among_top = (int)counts[2];
    ranks_any(&t->has_cross_entropy, 1);
    ranks_sum(t->losses, (size_t)t->data->list.count);
}

static double sum_losses(const tally *t) {
    double sum = 0;
    for (int i = 0; i < t->data->list.count; i++)
        sum += t->losses[i];
    return sum;
}

static validation_result result_of(const tally *t) {
    return (validation_result){.images = t->images,
                               .top = t->data->top,
                               .top1 = (double)t->right / t->images,
                               .topk = (double)t->among_top / t->images,
                               .cross_entropy = sum_losses(t) / t->images,
                               .has_cross_entropy = t->has_cross_entropy};
}

char *validate_classifier(network *net, const classifier_data *data,
                          const validation_settings *settings, validation_result *result) {
    tally t = {.net = net, .data = data, .lines = settings->lines};
    t.best = allocate((size_t)data->top, sizeof *t.best);
    t.losses = allocate((size_t)data->list.count, sizeof *t.losses);
    *result = (validation_result){0};
    prediction_job job = {.paths = data->list.paths,
                          .count = data->list.count,
                          .fit = center_crop_image,
                          .threads = settings->threads,
                          .skip_bad = settings->skip_bad,
                          .name_bad = settings->name_bad,
                          .use = count_image,
                          .context = &t,
                          .stops = settings->stops};
    char *error = predict_in_batches(net, &job, &result->failed_rank);
    bool stopped = !error && settings->stops && settings->stops();
    if (stopped)
        result->stopped = true;
    else if (!error)
        join_tallies(&t);
    if (!error && !stopped && !t.images)
        error = format_string("no image can be read");
    if (!error && !stopped)
        *result = result_of(&t);
    free(t.best);
    free(t.losses);
    return error;
}

/* ---- the command ---- */

void run_classifier_valid(char *data_file, char *cfg_file, char *weights_file,
                          classifier_options options) {
    if (!cfg_file)
        fail("usage: darknet classifier valid DATA CFG [WEIGHTS] [-threads N] [-skip_bad] "
             "[-stock_loader]");
    network *net = load_network(cfg_file, weights_file, 0);
    check_image_input(cfg_file, net);
    classifier_data data = read_validation_data(data_file, cfg_file, net);
    validation_settings settings = {.threads = options.threads,
                                    .skip_bad = options.skip_bad,
                                    .name_bad = true,
                                    .lines = stdout};
    validation_result result;
    char *error = validate_classifier(net, &data, &settings, &result);
    if (error)
        fail("%s, in %s", error, data.list_file);
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write the results to standard output");
    if (result.has_cross_entropy)
        fprintf(stderr, "%d images, cross entropy %f\n", result.images, result.cross_entropy);
    free_classifier_data(&data);
    free_network(net);
}
