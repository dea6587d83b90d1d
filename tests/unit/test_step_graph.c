/* Which graph a training step is and where the update is in it; and on a GPU whole iterations as
 * graphs beside the same ones without, whose host state has to be the same, too. */
#include "fail.h"
#include "small_network.h"

#include "expect_fail.h"

#include "dlb_cost_layer.h"
#include "loss_scale_gpu.h"
#include "recipe.h"
#include "shared_network.h"
#include "shared_network_state.h"
#include "step_graph.h"
#include "step_losses.h"
#include "step_plan.h"
#include "test_device.h"

#include <math.h>

static const char PLAIN[] =
    "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[connected]\noutput=5\nactivation=linear\n[softmax]\n";
static const char DISTILLED[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[connected]\noutput=5\nactivation=linear\n[softmax]\n[dlb_cost]\nalpha=.7\ntemperature=2\n";

enum { BATCH = 8, ITERATIONS = 6, MOST_PARTS = 4 };

static network *parse_trained(const char *keys, const char *layers, int parts) {
    char *text = format_string("[net]\nbatch=%d\nsubdivisions=%d\nwidth=8\nheight=8\nchannels=3\n"
                               "momentum=.9\ndecay=.01\nlearning_rate=.05\nmax_batches=20\n%s\n%s",
                               BATCH, parts, keys, layers);
    srand(9);
    network *net = parse_network_text(text);
    free(text);
    if (net->gpu_index < 0)
        give_layers_back(net);
    allow_recipe_training(net);
    layer *dlb = find_dlb_cost_layer(net);
    if (dlb)
        prepare_dlb_cost_training(dlb, net, "test.cfg");
    return net;
}

/* Of micro-batch `part`; its rows have numbers of their own. */
static void name_samples(network *net, int part) {
    static int64_t ids[MOST_PARTS][BATCH];
    layer *dlb = find_dlb_cost_layer(net);
    for (int row = 0; row < net->batch; row++)
        ids[part][row] = part * BATCH + row % (net->batch / 2);
    if (dlb)
        set_dlb_cost_samples(dlb, part, ids[part]);
}

/* ---- the plan ---- */

/* As train_network_datum() comes to it. */
static step_plan plan_next(network *net, int part, bool can_capture_update) {
    name_samples(net, part);
    *net->seen += (size_t)rows_of_all(net);
    step_plan plan = plan_step(net, can_capture_update);
    assert_in_range(plan.graph, 0, count_step_plans(net) - 1);
    return plan;
}

/* Steps that launch something else have graphs of their own, all others have one. */
static void expect_plans(const char *layers, int parts, bool can_capture_update, bool by_part) {
    network *net = parse_trained("", layers, parts);
    *net->seen = 3 * BATCH; /* a training that goes on */
    int graphs[MOST_PARTS];
    for (int iteration = 0; iteration < 2; iteration++) {
        for (int part = 0; part < parts; part++) {
            step_plan plan = plan_next(net, part, can_capture_update);
            assert_int_equal(plan.updates, can_capture_update && part == parts - 1);
            if (iteration)
                assert_int_equal(plan.graph, graphs[part]);
            graphs[part] = plan.graph;
        }
    }
    for (int part = 0; part < parts; part++)
        for (int other = 0; other < part; other++) {
            bool differ = by_part || (can_capture_update && part == parts - 1);
            assert_int_equal(graphs[part] != graphs[other], differ);
        }
    free_network(net);
}

static void the_last_micro_batch_has_the_update(void **state) {
    (void)state;
    for (int parts = 1; parts <= MOST_PARTS; parts *= 2) {
        expect_plans(PLAIN, parts, true, false);
        expect_plans(DISTILLED, parts, true, true);
    }
}

static void updates_of_the_host_are_in_no_graph(void **state) {
    (void)state;
    expect_plans(PLAIN, 2, false, false);
    expect_plans(DISTILLED, 2, false, true);
}

/* They come between the backward pass and the update. */
static void nor_are_those_after_sums_over_ranks(void **state) {
    (void)state;
    network *net = parse_trained("", PLAIN, 2);
    struct shared_rows two_ranks = {.share = whole_share(2 * net->batch)};
    two_ranks.share.shards = 2;
    net->ranks = &two_ranks;
    for (int part = 0; part < 2; part++)
        assert_false(plan_next(net, part, true).updates);
    assert_true(ends_iteration(net));
    net->ranks = NULL;
    free_network(net);
}

/* ---- iterations ---- */

static void fill_micro_batch(network *net, int part) {
    draw_floats(net->input, net->batch * net->inputs);
    memset(net->truth, 0, (size_t)(net->batch * net->truths) * sizeof *net->truth);
    for (int row = 0; row < net->batch; row++)
        net->truth[row * net->truths + (row + part) % net->truths] = 1;
    name_samples(net, part);
}

/* Returns the iteration's loss. What is drawn for it comes from `iteration`. */
static double train_iteration(network *net, int iteration) {
    double loss = 0;
    srand((unsigned)iteration);
    for (int part = 0; part < net->subdivisions; part++) {
        fill_micro_batch(net, part);
        loss += train_network_datum(net);
    }
    return losses_are_deferred(net) ? take_deferred_losses(net) : loss;
}

static double worst_of(const float *a, const float *b, int count) {
    double worst = 0, largest = 1e-3;
    for (int i = 0; a && i < count; i++)
        largest = fmax(largest, fabs(b[i]));
    for (int i = 0; a && i < count; i++) {
        double off = fabs((double)a[i] - b[i]) / largest;
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

/* Of weights, biases and momentum, in largest values of an array. */
static double distance(const network *a, const network *b) {
    double worst = 0;
    pull_network(a);
    pull_network(b);
    for (int i = 0; i < a->n; i++) {
        const layer *l = &a->layers[i], *k = &b->layers[i];
        int weights = l->type == CONNECTED ? l->inputs * l->outputs : l->nweights;
        int biases = l->type == CONNECTED ? l->outputs : l->n;
        worst = fmax(worst, worst_of(l->weights, k->weights, weights));
        worst = fmax(worst, worst_of(l->weight_updates, k->weight_updates, weights));
        worst = fmax(worst, worst_of(l->biases, k->biases, biases));
    }
    return worst;
}

/* Both have drawn as often, updated as often and left out as much. */
static void expect_same_state(const network *a, const network *b, int drawn_by_a, int drawn_by_b) {
    assert_int_equal(drawn_by_a, drawn_by_b);
    assert_int_equal(*a->t, *b->t);
    assert_int_equal(*a->seen, *b->seen);
    assert_int_equal(half_updates_dropped(a), half_updates_dropped(b));
}

/* A validation in the midst of it, at a batch of its own, after which no graph is left. */
static void predict_one(network *net) {
    float *input = calloc((size_t)net->inputs, sizeof *input);
    int batch = net->batch;
    set_batch_network(net, 1);
    network_predict(net, input);
    set_batch_network(net, batch);
    free(input);
}

/* The worst distance, over all iterations. */
static double train_beside(network *a, network *b) {
    double worst = 0;
    for (int i = 0; i < ITERATIONS; i++) {
        if (i == ITERATIONS / 2) {
            predict_one(a);
            predict_one(b);
        }
        double loss_of_a = train_iteration(a, i);
        int drawn_by_a = rand();
        double loss_of_b = train_iteration(b, i);
        report_half_updates(a);
        report_half_updates(b);
        expect_same_state(a, b, drawn_by_a, rand());
        worst = fmax(worst, fabs(loss_of_a - loss_of_b) / fmax(1, loss_of_b));
        worst = fmax(worst, distance(a, b));
    }
    assert_int_equal(*a->t, ITERATIONS);
    return worst;
}

/* One more iteration, step by step: what its last one has done. On the CPU there are no graphs. */
static void expect_steps(network *net, int last) {
    bool has_graphs = net->gpu_index >= 0;
    for (int part = 0; part < net->subdivisions; part++) {
        int done = part == net->subdivisions - 1 ? last : STEP_WITHOUT_UPDATE;
        fill_micro_batch(net, part);
        *net->seen += (size_t)net->batch;
        assert_int_equal(run_step_graph(net), has_graphs ? done : STEP_IS_LEFT);
    }
}

static void compare_iterations(const char *keys, const char *layers, int parts, double tolerance) {
    network *plain = parse_trained(keys, layers, parts), *net = parse_trained(keys, layers, parts);
    defer_losses(plain);
    use_step_graphs(net);
    double worst = train_beside(net, plain);
    if (!(worst <= tolerance))
        fail_msg("%s, %d parts: %.3g of the largest, allowed %.3g", keys, parts, worst, tolerance);
    expect_steps(net, STEP_AND_UPDATE);
    assert_int_equal(*net->t, ITERATIONS + (net->gpu_index >= 0));
    free_network(net);
    free_network(plain);
}

/* Floats summed in another order, over a few steps; and with 16 bits between. */
#define SUMS 5e-4
#define HALF_SUMS 2e-2

#define ITERATIONS_AS_GRAPHS(name, keys, layers, parts)                                            \
    static void name(void **state) {                                                               \
        use_device(state);                                                                         \
        compare_iterations(keys, layers, parts, gpu_index < 0 ? 0 : SUMS);                         \
    }
ITERATIONS_AS_GRAPHS(one_part, "nesterov=1\npolicy=exp\ngamma=.5", PLAIN, 1)
ITERATIONS_AS_GRAPHS(two_parts, "policy=random\npower=1\ndecay_all=1", PLAIN, 2)
ITERATIONS_AS_GRAPHS(one_part_with_dlb_cost, "policy=steps\nsteps=2,4\nscales=3,.1", DISTILLED, 1)
ITERATIONS_AS_GRAPHS(two_parts_with_dlb_cost, "nesterov=1\nburn_in=5\npower=1", DISTILLED, 2)

/* Which the host computes. */
static void updates_by_adam(void **state) {
    use_device(state);
    network *net = parse_trained("adam=1", PLAIN, 2);
    use_step_graphs(net);
    for (int i = 0; i < ITERATIONS; i++)
        train_iteration(net, i);
    expect_steps(net, STEP_WITHOUT_UPDATE);
    assert_int_equal(*net->t, ITERATIONS);
    free_network(net);
}

static void two_parts_with_half(void **state) {
    use_device(state);
#ifndef CUDNN
    if (gpu_index >= 0)
        skip();
#endif
    compare_iterations("half=1\nnesterov=1\npolicy=exp\ngamma=.5", PLAIN, 2,
                       gpu_index < 0 ? 0 : HALF_SUMS);
}

/* ---- the comparison itself ---- */

static void another_rate_is_found(void **state) {
    (void)state;
    network *a = parse_trained("policy=exp\ngamma=.5", PLAIN, 2),
            *b = parse_trained("policy=exp\ngamma=.6", PLAIN, 2);
    assert_true(train_beside(a, b) > HALF_SUMS);
    free_network(a);
    free_network(b);
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_micro_batch_has_the_update),
        cmocka_unit_test(updates_of_the_host_are_in_no_graph),
        cmocka_unit_test(nor_are_those_after_sums_over_ranks),
        cmocka_unit_test(another_rate_is_found),
        ON_BOTH(one_part),
        ON_BOTH(two_parts),
        ON_BOTH(one_part_with_dlb_cost),
        ON_BOTH(two_parts_with_dlb_cost),
        ON_BOTH(updates_by_adam),
        ON_BOTH(two_parts_with_half),
    };
    return cmocka_run_group_tests_name("step_graph", tests, NULL, NULL);
}
