/* Seconds of each layer's forward and backward pass within a training step, for bench/scaling.py.
 *
 *     [mpirun -np RANKS] layer_times CFG STEPS
 *
 * Rank 0 prints `layer NUMBER FORWARD BACKWARD` for each layer, `rest SECONDS` for what the passes
 * leave of a step, waiting for sums of gradients and the update, and `step SECONDS` for whole
 * steps: medians over STEPS steps. Between ranks also `message LAYER FLOATS` for each sum. */
#include "cpu_backend.h"
#include "fail.h"
#include "gradient_buckets.h"
#include "gradient_sums.h"
#include "ranks.h"
#include "shared_network.h"
#include "timed_steps.h"

#include <stdio.h>
#include <stdlib.h>

typedef void (*pass)(layer, network);

/* Of one layer; what has been measured is (steps). */
typedef struct {
    pass run_forward, run_backward;
    double *forward, *backward;
} watched_layer;

static watched_layer *watched; /* (layers); the passes are handed nothing else to find them by */
static int step;               /* the one that is measured */

static void forward_watched(layer l, network net) {
    double start = what_time_is_it_now();
    watched[net.index].run_forward(l, net);
    watched[net.index].forward[step] += what_time_is_it_now() - start;
}

static void backward_watched(layer l, network net) {
    double start = what_time_is_it_now();
    watched[net.index].run_backward(l, net);
    watched[net.index].backward[step] += what_time_is_it_now() - start;
}

static void watch_layers(network *net, int steps) {
    watched = allocate((size_t)net->n, sizeof *watched);
    for (int i = 0; i < net->n; i++) {
        layer *l = &net->layers[i];
        watched[i] = (watched_layer){.run_forward = l->forward,
                                     .run_backward = l->backward,
                                     .forward = allocate((size_t)steps, sizeof(double)),
                                     .backward = allocate((size_t)steps, sizeof(double))};
        l->forward = forward_watched;
        l->backward = backward_watched;
    }
}

static double passes_of_step(const network *net, int number) {
    double sum = 0;
    for (int i = 0; i < net->n; i++)
        sum += watched[i].forward[number] + watched[i].backward[number];
    return sum;
}

static void print_medians(const network *net, double *seconds, int steps) {
    double *rests = allocate((size_t)steps, sizeof *rests);
    for (int i = 0; i < steps; i++)
        rests[i] = seconds[i] - passes_of_step(net, i);
    for (int i = 0; i < net->n; i++)
        printf("layer %d %.9f %.9f\n", i, quantile(watched[i].forward, steps, .5),
               quantile(watched[i].backward, steps, .5));
    printf("rest %.9f\n", quantile(rests, steps, .5));
    printf("step %.9f\n", quantile(seconds, steps, .5));
    free(rests);
}

static void print_messages(const network *net) {
    int count;
    const bucket *messages = gradient_messages(net, &count);
    for (int i = 0; i < count; i++)
        printf("message %d %zu\n", messages[i].layer, messages[i].count);
}

int main(int argc, char **argv) {
    wait_without_spinning(argv); /* as in `classifier train` */
    int steps = argc == 3 ? atoi(argv[2]) : 0;
    if (steps < 1)
        fail("usage: layer_times CFG STEPS");
    ranks_begin();
    share_networks(true);
    network *net = load_network_with(argv[1], "");
    prepare_gradient_sums(net);
    double *seconds = allocate((size_t)steps, sizeof *seconds);
    int64_t next_id = 0;
    train_one_step(net, &next_id); /* warms up */
    watch_layers(net, steps);
    for (step = 0; step < steps; step++)
        seconds[step] = train_one_step(net, &next_id);
    print_medians(net, seconds, steps);
    print_messages(net);
    fflush(stdout);
    ranks_end();
    return 0;
}
