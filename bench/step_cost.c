/* What a training step with [dlb_cost] costs: the same network without the section, with alpha=0
 * and with alpha=1, each in the same process, steps taken in turn so that a busy machine slows all
 * three alike.
 *
 *     step_cost [CFG [ROUNDS]]      default: cfg/resnet20.cfg 15
 *
 * Prints the median time of a step and the median and quartiles of the rounds' ratios. */
#include "darknet.h"
#include "dlb_cost_layer.h"
#include "fail.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { ARMS = 3 };
static const char *const ARM_NAMES[ARMS] = {"without [dlb_cost]", "alpha=0", "alpha=1"};
static const char *const SECTIONS[ARMS] = {"", "\n[dlb_cost]\nalpha=0\n",
                                           "\n[dlb_cost]\nalpha=1\n"};

/* A copy of cfg_file with `section` at its end; the caller unlinks and frees the name. */
static char *write_cfg(const char *cfg_file, const char *section) {
    char *name = format_string("/tmp/step_cost_XXXXXX");
    int out = mkstemp(name);
    char *text = (char *)read_file((char *)cfg_file);
    FILE *file = out < 0 ? NULL : fdopen(out, "w");
    if (!file || fputs(text, file) < 0 || fputs(section, file) < 0 || fclose(file))
        fail("cannot write %s", name);
    free(text);
    return name;
}

static network *load(const char *cfg_file, const char *section) {
    char *name = write_cfg(cfg_file, section);
    srand(1);
    network *net = parse_network_cfg(name);
    unlink(name);
    free(name);
    if (find_dlb_cost_layer(net))
        prepare_dlb_cost_training(find_dlb_cost_layer(net), net, cfg_file);
    for (int i = 0; i < net->inputs * net->batch; i++)
        net->input[i] = (float)rand() / (float)RAND_MAX;
    for (int row = 0; row < net->batch; row++)
        net->truth[row * net->truths + row % net->truths] = 1;
    return net;
}

/* One iteration of `net`; the first half of each micro-batch revisits the last one's second. */
static double step(network *net, int64_t *next_id) {
    layer *dlb = find_dlb_cost_layer(net);
    int half = net->batch / 2;
    int64_t *ids = allocate((size_t)net->batch, sizeof *ids);
    double start = what_time_is_it_now();
    for (int slot = 0; slot < net->subdivisions; slot++) {
        for (int row = 0; row < net->batch; row++)
            ids[row] = *next_id + slot * half + row - (row < half ? 0 : half) +
                       (row < half ? 0 : net->subdivisions * half);
        if (dlb)
            set_dlb_cost_samples(dlb, slot, ids);
        train_network_datum(net);
    }
    *next_id += net->subdivisions * half;
    double seconds = what_time_is_it_now() - start;
    free(ids);
    return seconds;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The q-th quantile; sorts `values`. */
static double quantile(double *values, int count, double q) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    double at = q * (count - 1);
    int below = (int)at, above = below + 1 < count ? below + 1 : below;
    return values[below] + (at - below) * (values[above] - values[below]);
}

static void print_ratio(int arm, int base, double *const seconds[], int rounds) {
    double *ratios = allocate((size_t)rounds, sizeof *ratios);
    for (int i = 0; i < rounds; i++)
        ratios[i] = seconds[arm][i] / seconds[base][i];
    printf("%-18s : %-18s  %.4f   (quartiles %.4f to %.4f)\n", ARM_NAMES[arm], ARM_NAMES[base],
           quantile(ratios, rounds, .5), quantile(ratios, rounds, .25),
           quantile(ratios, rounds, .75));
    free(ratios);
}

/* Median seconds of the layer's own forward and backward pass, which a step has for each
 * micro-batch. */
static double layer_seconds(network *net) {
    enum { REPEATS = 101 };
    layer *dlb = find_dlb_cost_layer(net);
    int64_t *ids = allocate((size_t)net->batch, sizeof *ids); /* all 0: each finds a teacher */
    double seconds[REPEATS];
    set_dlb_cost_samples(dlb, 0, ids);
    forward_dlb_cost_layer(*dlb, *net);
    for (int i = 0; i < REPEATS; i++) {
        double start = what_time_is_it_now();
        forward_dlb_cost_layer(*dlb, *net);
        backward_dlb_cost_layer(*dlb, *net);
        seconds[i] = what_time_is_it_now() - start;
    }
    free(ids);
    return quantile(seconds, REPEATS, .5) * net->subdivisions;
}

int main(int argc, char **argv) {
    const char *cfg_file = argc > 1 ? argv[1] : "cfg/resnet20.cfg";
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (rounds < 1)
        fail("usage: step_cost [CFG [ROUNDS]]");
    gpu_index = -1;
    network *nets[ARMS];
    double *seconds[ARMS];
    int64_t next_id[ARMS] = {0};
    for (int arm = 0; arm < ARMS; arm++) {
        nets[arm] = load(cfg_file, SECTIONS[arm]);
        seconds[arm] = allocate((size_t)rounds, sizeof **seconds);
        step(nets[arm], &next_id[arm]); /* warms up, and gives the ring its teachers */
    }
    for (int i = 0; i < rounds; i++)
        for (int turn = 0; turn < ARMS; turn++) {
            int arm = (i + turn) % ARMS;
            seconds[arm][i] = step(nets[arm], &next_id[arm]);
        }
    layer *dlb = find_dlb_cost_layer(nets[2]);
    int expected = rounds * nets[2]->subdivisions * (nets[2]->batch / 2);
    if (take_dlb_cost_sums(dlb).teachers != expected)
        fail("the rows did not find their teachers; the figures would mean nothing");
    printf("%s, batch %d, %d rounds\n", cfg_file, nets[0]->batch * nets[0]->subdivisions, rounds);
    print_ratio(2, 1, seconds, rounds);
    print_ratio(2, 0, seconds, rounds);
    print_ratio(1, 0, seconds, rounds);
    for (int arm = 0; arm < ARMS; arm++) {
        printf("%-18s  %.4f s a step\n", ARM_NAMES[arm], quantile(seconds[arm], rounds, .5));
    }
    double own = layer_seconds(nets[2]), whole = quantile(seconds[2], rounds, .5);
    printf("the layer's own two passes: %.6f s a step, %.4f %% of it\n", own, 100 * own / whole);
    return 0;
}
