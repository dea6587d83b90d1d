#include "timed_steps.h"

#include "device_input.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "gpu_status.h"
#include "gradient_sums.h"
#include "recipe.h"
#include "shared_network.h"
#include "step_graph.h"
#include "step_losses.h"

#include <stdlib.h>
#include <unistd.h>

/* A copy of cfg_file with `section` at its end; the caller unlinks and frees the name. */
static char *write_cfg(const char *cfg_file, const char *section) {
    char *name = format_string("/tmp/timed_steps_XXXXXX");
    int out = mkstemp(name);
    char *text = (char *)read_file((char *)cfg_file);
    FILE *file = out < 0 ? NULL : fdopen(out, "w");
    if (!file || fputs(text, file) < 0 || fputs(section, file) < 0 || fclose(file))
        fail("cannot write %s", name);
    free(text);
    return name;
}

/* A GPU build measures the first card. */
static void use_a_device(void) {
#ifdef GPU
    cuda_set_device(0);
#else
    gpu_index = -1;
#endif
}

/* So that what is timed has been done. */
static void wait_for_device(const network *net) {
    (void)net;
#ifdef GPU
    if (net->gpu_index >= 0)
        check_error(cudaDeviceSynchronize());
#endif
}

network *load_network_with(const char *cfg_file, const char *section) {
    char *name = write_cfg(cfg_file, section);
    use_a_device();
    srand(1);
    network *net = parse_network_cfg(name);
    unlink(name);
    free(name);
    if (count_own_shards(net) > 1)
        fail("%s: only networks without shards= are timed", cfg_file);
    if (find_dlb_cost_layer(net))
        prepare_dlb_cost_training(find_dlb_cost_layer(net), net, cfg_file);
    allow_recipe_training(net); /* the recipe's keys for images do nothing here */
    defer_losses(net);
    create_device_input(net);
    if (recipe_keys(net).cuda_graph)
        use_step_graphs(net);
    for (int i = 0; i < net->inputs * net->batch; i++)
        net->input[i] = (float)rand() / (float)RAND_MAX;
    for (int row = 0; row < net->batch; row++)
        net->truth[(size_t)row * (size_t)net->truths + (size_t)(row % net->truths)] = 1;
    return net;
}

double train_one_step(network *net, int64_t *next_id) {
    layer *dlb = find_dlb_cost_layer(net);
    int half = net->batch / 2;
    int64_t *ids = allocate((size_t)net->batch, sizeof *ids);
    double start = what_time_is_it_now();
    begin_iteration_of_ranks(net);
    for (int slot = 0; slot < net->subdivisions; slot++) {
        for (int row = 0; row < net->batch; row++)
            ids[row] = *next_id + (int64_t)slot * half + row - (row < half ? 0 : half) +
                       (row < half ? 0 : (int64_t)net->subdivisions * half);
        if (dlb)
            set_dlb_cost_samples(dlb, slot, ids);
        if (slot == net->subdivisions - 1)
            sum_gradients_next(net);
        train_network_datum(net);
        send_device_input(net, net->input, net->truth); /* as training sends the next rows */
    }
    *next_id += (int64_t)net->subdivisions * half;
    wait_for_device(net);
    double seconds = what_time_is_it_now() - start;
    free(ids);
    return seconds;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *values, int count, double q) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    double at = q * (count - 1);
    int below = (int)at, above = below + 1 < count ? below + 1 : below;
    return values[below] + (at - below) * (values[above] - values[below]);
}

static void run_passes(const layer *dlb, network *net) {
#ifdef GPU
    if (net->gpu_index >= 0) {
        forward_dlb_cost_layer_gpu(*dlb, *net);
        backward_dlb_cost_layer_gpu(*dlb, *net);
        wait_for_device(net);
        return;
    }
#endif
    forward_dlb_cost_layer(*dlb, *net);
    backward_dlb_cost_layer(*dlb, *net);
}

double dlb_cost_seconds(network *net) {
    enum { REPEATS = 101 };
    layer *dlb = find_dlb_cost_layer(net);
    int64_t *ids = allocate((size_t)net->batch, sizeof *ids); /* all 0: each finds a teacher */
    double seconds[REPEATS];
    set_dlb_cost_samples(dlb, 0, ids);
    run_passes(dlb, net);
    int repeats = 0;
    double begin = what_time_is_it_now(), end = begin;
    while (repeats < REPEATS && (repeats < 5 || end - begin < 2)) {
        double start = what_time_is_it_now();
        run_passes(dlb, net);
        end = what_time_is_it_now();
        seconds[repeats++] = end - start;
    }
    free(ids);
    return quantile(seconds, repeats, .5) * net->subdivisions;
}
