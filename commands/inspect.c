#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dlb_cost_layer.h"
#include "fail.h"
#include "layer_size.h"
#include "network.h"
#include "quiet_parser.h"
#include "recipe.h"
#include "row_share.h"

static const char usage[] = "usage: darknet dlb inspect CFG";

/* A number for people: 1234567 as 1,234,567. */
typedef struct {
    char text[32];
} grouped_number;

static grouped_number group(uint64_t number) {
    grouped_number grouped;
    char *at = grouped.text + sizeof grouped.text;
    int digits = 0;
    *--at = '\0';
    do {
        if (digits && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + number % 10);
        digits++;
    } while (number /= 10);
    memmove(grouped.text, at, strlen(at) + 1);
    return grouped;
}

/* `count` of them: one only as it is, else with an s. */
static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

/* width x height x channels, or just the number where that is no picture. */
static char *describe_shape(int width, int height, int channels, int values) {
    int64_t product = (int64_t)width * height * channels;
    if (product != values || (width == 1 && height == 1))
        return format_string("%d", values);
    return format_string("%d x %d x %d", width, height, channels);
}

static char *output_shape(const layer *l) {
    return describe_shape(l->out_w, l->out_h, l->out_c, l->outputs);
}

/* ---- the network ---- */

/* As `classifier train` shares a micro-batch out. */
static void print_shards(const network *net, bool halves) {
    int shards = recipe_keys(net).shards, rows = net->batch;
    if (shards == 0)
        return;
    if (can_share_batch(rows * net->subdivisions, net->subdivisions, shards, halves))
        printf("shards         %d of %d row%s, in training\n", shards, rows / shards,
               plural((uint64_t)(rows / shards)));
    else
        printf(
            "shards         %d, which the batch cannot be shared out over: training refuses it\n",
            shards);
}

static void print_batch(const network *net, bool dlb) {
    char *input = describe_shape(net->w, net->h, net->c, net->inputs);
    int rows = net->batch, slots = net->subdivisions;
    printf("input          %s%s\n", input,
           net->random ? "; random=1 resizes it during training" : "");
    printf("batch          %d image%s\n", rows * slots, plural((uint64_t)rows * (uint64_t)slots));
    printf("subdivisions   %d\n", slots);
    printf("micro-batch    %d row%s\n", rows, plural((uint64_t)rows));
    print_shards(net, dlb);
    free(input);
}

static void print_dlb(const network *net, const dlb_cost_facts *dlb) {
    const layer *logits = &net->layers[dlb->logits_layer];
    char *shape = output_shape(logits);
    int slots = net->subdivisions;
    printf("halves         %d new and %d revisited rows of each micro-batch, %d and %d of the "
           "batch\n",
           dlb->half, dlb->half, dlb->half * slots, dlb->half * slots);
    printf("logits         layer %d, [%s], output %s\n", dlb->logits_layer, layer_type_name(logits),
           shape);
    printf("temperature    %g\n", dlb->temperature);
    printf("alpha          %g\n", dlb->alpha);
    printf("ring           %d slot%s of %d row%s, %d logits and an id each: %s bytes\n", slots,
           plural((uint64_t)slots), dlb->half, plural((uint64_t)dlb->half), dlb->classes,
           group(dlb->ring_bytes).text);
    printf("delta buffer   %s bytes\n", group(dlb->delta_bytes).text);
    printf("DLB's memory   %s bytes\n", group(dlb->ring_bytes + dlb->delta_bytes).text);
    free(shape);
}

/* ---- the layers ---- */

static void print_layer(int index, const layer *l, const layer_size *size) {
    char *shape = output_shape(l);
    printf("%5d  %-16s %-18s %15s %18s\n", index, layer_type_name(l), shape,
           group(trainable_parameters(size)).text, group(size->multiply_adds).text);
    free(shape);
}

static layer_size print_layers(const network *net) {
    layer_size sum = {0};
    printf("\n%5s  %-16s %-18s %15s %18s\n", "layer", "type", "output", "parameters",
           "multiply-adds");
    for (int i = 0; i < net->n; i++) {
        layer_size size = size_of_layer(&net->layers[i]);
        print_layer(i, &net->layers[i], &size);
        add_layer_size(&sum, &size);
    }
    return sum;
}

static void print_totals(const network *net, const layer_size *sum) {
    uint64_t trained = trainable_parameters(sum);
    uint64_t all = trained + sum->rolling;
    uint64_t batch = (uint64_t)net->batch * (uint64_t)net->subdivisions;
    printf("\ntrainable parameters   %s: %s weights, %s biases, %s scales\n", group(trained).text,
           group(sum->weights).text, group(sum->biases).text, group(sum->scales).text);
    printf("rolling statistics     %s, not trained\n", group(sum->rolling).text);
    printf("memory of all these    %s bytes\n", group(all * sizeof(float)).text);
    printf("multiply-adds          %s for one image forward, weights times inputs; pooling, "
           "shortcuts,\n"
           "                       normalization, activations and the like count as 0\n",
           group(sum->multiply_adds).text);
    printf("FLOPs of a step        %s, estimated as 3 * 2 * multiply-adds * batch\n",
           group(6 * sum->multiply_adds * batch).text);
}

/* ---- the command ---- */

static void inspect(char *cfg_file) {
    network *net = parse_network_quietly(cfg_file);
    layer *dlb = find_dlb_cost_layer(net);
    if (net->batch < 1)
        fail("%s: batch/subdivisions leaves no row for a micro-batch", cfg_file);
    if (dlb)
        prepare_dlb_cost_training(dlb, net, cfg_file);
    printf("%s\n\n", cfg_file);
    print_batch(net, dlb != NULL);
    if (dlb) {
        dlb_cost_facts facts = describe_dlb_cost(dlb);
        print_dlb(net, &facts);
    } else {
        printf("DLB            no [dlb_cost]: trained as a baseline\n");
    }
    layer_size sum = print_layers(net);
    print_totals(net, &sum);
    free_network(net);
    if (fflush(stdout))
        fail("cannot write to standard output: %s", strerror(errno));
}

void run_inspect(int argc, char **argv) {
    if (argc != 4)
        fail("%s", usage);
    if (argv[3][0] == '-')
        fail("unknown option \"%s\"; %s", argv[3], usage);
    inspect(argv[3]);
}
