#include "classifier_predict.h"

#include "batched_prediction.h"
#include "classifier_data.h"
#include "data_line.h"
#include "fail.h"
#include "network.h"
#include "option_list.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    network *net;
    char **paths;
    char **names; /* (name_count), at least net->outputs of them */
    int name_count;
    int top;
    int *best; /* (top) */
} printer;

static void print_prediction(void *context, const image_prediction *p) {
    const printer *out = context;
    network *net = out->net;
    if (net->hierarchy)
        hierarchy_predictions(p->outputs, net->outputs, net->hierarchy, 1, 1);
    top_k(p->outputs, net->outputs, out->top, out->best);
    fputs(out->paths[p->image], stdout);
    for (int k = 0; k < out->top; k++)
        printf("\t%s\t%.2f", out->names[out->best[k]], p->outputs[out->best[k]] * 100);
    putchar('\n');
}

/* Names for people and how many of them to print, from the data file. */
static void read_data_file(char *data_file, printer *out) {
    list *options = read_data_cfg(data_file);
    char *file = option_find_str(options, "names", 0);
    if (!file)
        file = option_find_str(options, "labels", "data/labels.list");
    out->names = read_lines(file, &out->name_count);
    if (out->name_count < out->net->outputs)
        fail("%s has %d class names, but the network %d outputs; %s names the file", file,
             out->name_count, out->net->outputs, data_file);
    if (!out->top)
        out->top = option_find_int(options, "top", 1);
    if (out->top < 1 || out->top > out->net->outputs)
        fail("the likeliest %d classes of %d are asked for; 1 to %d is possible", out->top,
             out->net->outputs, out->net->outputs);
    free_list_contents(options);
    free_list(options);
}

/* The lines that name an image; *count of them. */
static char **read_paths(const char *file, int *count) {
    int lines;
    char **paths = read_lines(strcmp(file, "-") ? file : "/dev/stdin", &lines);
    *count = 0;
    for (int i = 0; i < lines; i++)
        if (names_image(paths[i]))
            paths[(*count)++] = paths[i];
        else
            free(paths[i]);
    if (!*count)
        fail("%s names no image", file);
    return paths;
}

void run_classifier_predict(char *data_file, char *cfg_file, char *weights_file, int top,
                            classifier_options options) {
    if (!cfg_file)
        fail("usage: darknet classifier predict DATA CFG WEIGHTS -list FILE [-t K] [-threads N]");
    network *net = load_network(cfg_file, weights_file, 0);
    check_image_input(cfg_file, net);
    printer out = {.net = net, .top = top};
    read_data_file(data_file, &out);
    int count;
    out.paths = read_paths(options.list, &count);
    out.best = allocate((size_t)out.top, sizeof *out.best);
    prediction_job job = {.paths = out.paths,
                          .count = count,
                          .fit = letterbox_image,
                          .threads = options.threads,
                          .use = print_prediction,
                          .context = &out};
    int rank;
    char *error = predict_in_batches(net, &job, &rank);
    if (error)
        fail("%s, in %s", error, options.list);
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write the predictions to standard output");
    free(out.best);
    free_ptrs((void **)out.paths, count);
    free_ptrs((void **)out.names, out.name_count);
    free_network(net);
}
