/* Every function that the paper's networks run on a GPU, against its twin on the CPU: two networks
 * of one text, with the same weights and batches, trained beside each other. Without a GPU the
 * comparison itself is tested, on two networks of the CPU. */
#include "fail.h"
#include "small_network.h"

#include "expect_fail.h"

#include "device_input.h"
#include "dlb_cost_layer.h"
#include "recipe.h"
#include "step_graph.h"
#include "step_losses.h"
#include "test_device.h"

#include <math.h>

enum { BATCH = 4, ITERATIONS = 3 };

static const char NET[] = "[net]\nbatch=4\nsubdivisions=1\nwidth=8\nheight=8\nchannels=3\n"
                          "momentum=.9\ndecay=.01\nlearning_rate=.02\nmax_batches=10\n";
static const char END[] = "[connected]\noutput=5\nactivation=linear\n[softmax]\n";

/* Of the largest value of an array: floats summed in another order, over a few steps. */
static const double TOLERANCE = 5e-4;

/* cuDNN normalises with the variance over n values, the host with that over n - 1; n is 256. */
#ifdef CUDNN
static const double NORMALIZED = 2e-2;
#else
static const double NORMALIZED = 2e-3;
#endif

/* ---- comparing ---- */

typedef struct {
    double worst; /* distance of two values, in largest values of their array */
    char where[64];
} difference;

static void compare(difference *d, int layer, const char *what, const float *a, const float *b,
                    size_t count) {
    double largest = 1e-3;
    if (!a || !b)
        return;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i]));
    for (size_t i = 0; i < count; i++) {
        double off = fabs((double)a[i] - b[i]) / largest;
        if (off <= d->worst)
            continue; /* NaN goes on */
        d->worst = isnan(off) ? INFINITY : off;
        snprintf(d->where, sizeof d->where, "%s[%zu] of layer %d", what, i, layer);
    }
}

static void compare_layer(difference *d, int index, const layer *a, const layer *b) {
    size_t values = (size_t)a->batch * (size_t)a->outputs;
    size_t weights =
        a->type == CONNECTED ? (size_t)a->inputs * (size_t)a->outputs : (size_t)a->nweights;
    size_t biases = a->type == CONNECTED ? (size_t)a->outputs : (size_t)a->out_c;
    compare(d, index, "output", a->output, b->output, values);
    compare(d, index, "delta", a->delta, b->delta, a->type == DLB_COST ? 0 : values);
    compare(d, index, "weights", a->weights, b->weights, weights);
    compare(d, index, "biases", a->biases, b->biases, biases);
    compare(d, index, "scales", a->scales, b->scales, biases);
    compare(d, index, "rolling mean", a->rolling_mean, b->rolling_mean, biases);
    compare(d, index, "rolling variance", a->rolling_variance, b->rolling_variance, biases);
}

/* ---- two networks ---- */

typedef struct {
    network *net;
    layer *dlb;
    dlb_cost_sums sums;
    double loss;
} twin;

static twin make_twin(const char *keys, const char *layers, int device) {
    twin t = {0};
    char *text =
        format_string("%s%s\n%s%s", NET, keys, layers, strstr(layers, "[softmax]") ? "" : END);
    gpu_index = device;
    srand(9);
    t.net = parse_network_text(text);
    free(text);
    if (device < 0)
        give_layers_back(t.net);
    allow_recipe_training(t.net);
    t.dlb = find_dlb_cost_layer(t.net);
    if (t.dlb)
        prepare_dlb_cost_training(t.dlb, t.net, "test.cfg");
    return t;
}

static void train_step(twin *t, int step) {
    static const int64_t ids[ITERATIONS][BATCH] = {{0, 1, 2, 3}, {2, 3, 4, 5}, {5, 4, 7, 6}};
    network *net = t->net;
    gpu_index = net->gpu_index;
    srand((unsigned)step);
    draw_floats(net->input, net->batch * net->inputs);
    memset(net->truth, 0, (size_t)(net->batch * net->truths) * sizeof(float));
    for (int row = 0; row < net->batch; row++)
        net->truth[row * net->truths + (row + step) % net->truths] = 1;
    if (t->dlb)
        set_dlb_cost_samples(t->dlb, 0, ids[step]);
    send_device_input(net, net->input, net->truth);
    t->loss = train_network_datum(net);
    if (losses_are_deferred(net))
        t->loss = take_deferred_losses(net);
    if (t->dlb)
        t->sums = take_dlb_cost_sums(t->dlb);
    pull_network(net);
}

static void compare_sums(difference *d, const twin *a, const twin *b) {
    const float first[] = {(float)a->loss, (float)a->sums.cross_entropy, (float)a->sums.consistency,
                           (float)a->sums.teachers};
    const float second[] = {(float)b->loss, (float)b->sums.cross_entropy,
                            (float)b->sums.consistency, (float)b->sums.teachers};
    for (int i = 0; i < 4; i++)
        compare(d, -1, "losses", first + i, second + i, 1);
}

static void predict_beside(difference *d, twin *a, twin *b) {
    size_t values = (size_t)(a->net->batch * a->net->outputs);
    float *input = calloc((size_t)(a->net->batch * a->net->inputs), sizeof *input);
    draw_floats(input, a->net->batch * a->net->inputs);
    gpu_index = a->net->gpu_index;
    float *first = network_predict(a->net, input);
    gpu_index = b->net->gpu_index;
    compare(d, -1, "prediction", first, network_predict(b->net, input), values);
    free(input);
}

static difference train_beside(twin *a, twin *b) {
    difference d = {0};
    for (int step = 0; step < ITERATIONS; step++) {
        train_step(a, step);
        train_step(b, step);
        for (int i = 0; i < a->net->n; i++)
            compare_layer(&d, i, &a->net->layers[i], &b->net->layers[i]);
        compare_sums(&d, a, b);
    }
    predict_beside(&d, a, b);
    return d;
}

static void free_twin(twin *t) {
    gpu_index = t->net->gpu_index;
    free_device_input(t->net);
    free_network(t->net);
}

/* How the second network is trained. */
typedef enum { PLAINLY, LOSSES_DEFERRED, ROWS_AHEAD, AS_GRAPHS } manner;

/* The first is trained on the CPU; or, with other keys than `keys`, on the same device. */
static void expect_twins_with(const char *others, const char *keys, const char *layers,
                              double tolerance, manner how) {
    int device = gpu_index; /* as use_device() chose */
    twin a = make_twin(others ? others : keys, layers, others ? device : -1);
    twin b = make_twin(keys, layers, device);
    if (how != PLAINLY)
        defer_losses(b.net);
    if (how == ROWS_AHEAD || how == AS_GRAPHS)
        create_device_input(b.net);
    if (how == AS_GRAPHS)
        use_step_graphs(b.net);
    difference d = train_beside(&a, &b);
    if (!(d.worst <= tolerance))
        fail_msg("%s is off by %.3g of the largest, allowed %.3g", d.where, d.worst, tolerance);
    free_twin(&a);
    free_twin(&b);
    gpu_index = device;
}

static void expect_twins(const char *keys, const char *layers, double tolerance, manner how) {
    expect_twins_with(NULL, keys, layers, tolerance, how);
}

/* ---- the layers ---- */

static const char CONVOLUTIONS[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=logistic\n"
    "[convolutional]\nfilters=6\nsize=1\nstride=1\nactivation=linear\nbias=0\n"
    "[convolutional]\nfilters=4\nsize=1\nstride=2\ngroups=2\nactivation=leaky\n"
    "init=he_fan_out\n";
static const char NORMALIZATIONS[] =
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=linear\nbias=0\n"
    "[batchnorm]\n[activation]\nactivation=leaky\n";
/* What ends them in one launch, and what does not. */
static const char ENDS[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\nbias=0\n"
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=1\nstride=1\nactivation=logistic\n"
    "[connected]\noutput=12\nactivation=leaky\n[connected]\noutput=12\nactivation=tanh\n";
/* All that fused_batchnorm=1 does. */
static const char FUSED[] =
    "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[convolutional]\nbatch_normalize=1\nfilters=16\nsize=1\nstride=1\nactivation=logistic\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=linear\nbias=0\n"
    "[batchnorm]\n[shortcut]\nfrom=-2\nactivation=relu\n"
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=relu\n"
    "[connected]\nbatch_normalize=1\noutput=30\nactivation=relu\n";
static const char POOLINGS[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[avgpool]\nsize=3\nstride=2\npadding=2\n[maxpool]\nsize=2\nstride=1\npadding=1\n"
    "[avgpool]\nsize=2\nstride=1\n[avgpool]\n";
static const char BRANCHES[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-2\nactivation=leaky\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[route]\nlayers=-1,-2\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=leaky\n";
static const char SHORTCUTS[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\n"
    "[shortcut]\nfrom=-1\nactivation=linear\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-2\nactivation=relu\nalpha=.5\nbeta=2\n"
    "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-2\nactivation=relu\n" /* of another shape */
    "[convolutional]\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-2\nactivation=logistic\n";
static const char RATES[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\nactivation=leaky\nlearning_rate=.5\n"
    "[connected]\noutput=20\nactivation=leaky\nlearning_rate=2\n";
static const char DISTILLED[] =
    "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[connected]\noutput=40\nactivation=linear\n[softmax]\n[dlb_cost]\nalpha=.7\ntemperature=2\n";

#define TWINS(name, keys, layers, tolerance, how)                                                  \
    static void name(void **state) {                                                               \
        use_device(state);                                                                         \
        expect_twins(keys, layers, tolerance, how);                                                \
    }
TWINS(convolutions, "", CONVOLUTIONS, TOLERANCE, PLAINLY)
TWINS(batch_normalizations, "", NORMALIZATIONS, NORMALIZED, PLAINLY)
TWINS(ends_of_layers, "", ENDS, NORMALIZED, PLAINLY)
TWINS(poolings, "", POOLINGS, TOLERANCE, PLAINLY)
TWINS(shortcuts_and_routes, "", BRANCHES, TOLERANCE, PLAINLY)
TWINS(shortcuts_of_all_kinds, "", SHORTCUTS, TOLERANCE, PLAINLY)
TWINS(learning_rates_of_layers, "", RATES, TOLERANCE, PLAINLY)
TWINS(dlb_cost, "", DISTILLED, TOLERANCE, PLAINLY)
TWINS(losses_read_when_they_are_logged, "", DISTILLED, TOLERANCE, LOSSES_DEFERRED)
TWINS(rows_sent_ahead, "", DISTILLED, TOLERANCE, ROWS_AHEAD)
TWINS(steps_as_graphs, "nesterov=1", DISTILLED, TOLERANCE, AS_GRAPHS)
TWINS(normalizations_as_graphs, "", NORMALIZATIONS, NORMALIZED, AS_GRAPHS)
TWINS(fused_batchnorm, "fused_batchnorm=1", NORMALIZATIONS, NORMALIZED, PLAINLY)
TWINS(fused_batchnorm_as_graphs, "fused_batchnorm=1", NORMALIZATIONS, NORMALIZED, AS_GRAPHS)
TWINS(ends_of_layers_as_graphs, "", ENDS, NORMALIZED, AS_GRAPHS)
TWINS(branches_as_graphs, "decay_all=1", BRANCHES, TOLERANCE, AS_GRAPHS)
TWINS(poolings_as_graphs, "", POOLINGS, TOLERANCE, AS_GRAPHS)
TWINS(nesterov, "nesterov=1", BRANCHES, TOLERANCE, PLAINLY)
TWINS(decay_of_all_parameters, "decay_all=1", NORMALIZATIONS, NORMALIZED, PLAINLY)
TWINS(algorithms_by_measuring, "cudnn_benchmark=1", CONVOLUTIONS, TOLERANCE, PLAINLY)
TWINS(strict_float32, "tf32=0", CONVOLUTIONS, TOLERANCE, PLAINLY)

/* cuDNN picks anew for the smaller batch, with a workspace to match. */
static void another_batch(void **state) {
    use_device(state);
    int device = gpu_index;
    twin a = make_twin("", CONVOLUTIONS, -1), b = make_twin("", CONVOLUTIONS, device);
    difference d = train_beside(&a, &b);
    for (int batch = 1; batch <= BATCH; batch++) {
        set_batch_network(a.net, batch);
        set_batch_network(b.net, batch);
        predict_beside(&d, &a, &b);
    }
    if (!(d.worst <= TOLERANCE))
        fail_msg("%s is off by %.3g of the largest", d.where, d.worst);
    free_twin(&a);
    free_twin(&b);
}

/* cuDNN's or the host's kernels, and ours. */
static void fused_batchnorm_beside_the_other(void **state) {
    use_device(state);
    expect_twins_with("", "fused_batchnorm=1", FUSED, TOLERANCE, PLAINLY);
    expect_twins_with("", "fused_batchnorm=1", FUSED, TOLERANCE, AS_GRAPHS);
}

/* Validation at another batch in the midst of it, after which what was captured may not be used. */
static void train_around_another_batch(const char *keys, const char *layers, double tolerance) {
    int device = gpu_index;
    twin a = make_twin(keys, layers, -1), b = make_twin(keys, layers, device);
    use_step_graphs(b.net);
    difference d = train_beside(&a, &b);
    for (int batch = 1; batch <= BATCH && d.worst <= tolerance; batch++) {
        set_batch_network(a.net, batch);
        set_batch_network(b.net, batch);
        predict_beside(&d, &a, &b);
    }
    if (d.worst <= tolerance)
        d = train_beside(&a, &b);
    if (!(d.worst <= tolerance))
        fail_msg("%s is off by %.3g of the largest", d.where, d.worst);
    free_twin(&a);
    free_twin(&b);
}

static void graphs_around_another_batch(void **state) {
    use_device(state);
    train_around_another_batch("", CONVOLUTIONS, TOLERANCE);
}

static void fused_batchnorm_around_another_batch(void **state) {
    use_device(state);
    train_around_another_batch("fused_batchnorm=1", NORMALIZATIONS, NORMALIZED);
}

/* ---- the comparison itself, without a GPU ---- */

static void twins_of_the_cpu_are_equal(void **state) {
    (void)state;
    gpu_index = -1;
    expect_twins("", CONVOLUTIONS, 0, PLAINLY);
    expect_twins("decay_all=1", NORMALIZATIONS, 0, PLAINLY);
    expect_twins("", ENDS, 0, PLAINLY);
    expect_twins_with("", "fused_batchnorm=1", FUSED, 0, PLAINLY); /* on the CPU nothing changes */
    expect_twins("", POOLINGS, 0, PLAINLY);
    expect_twins("", SHORTCUTS, 0, PLAINLY);
    expect_twins("nesterov=1", BRANCHES, 0, PLAINLY);
    expect_twins("", DISTILLED, 0, ROWS_AHEAD); /* on the CPU that is PLAINLY */
    expect_twins("", DISTILLED, 0, AS_GRAPHS);
}

static void a_difference_is_found(void **state) {
    (void)state;
    const char *others[] = {"nesterov=1", "decay_all=1"};
    for (int i = 0; i < 2; i++) {
        twin a = make_twin("", BRANCHES, -1), b = make_twin(others[i], BRANCHES, -1);
        assert_true(train_beside(&a, &b).worst > (i ? 1e-4 : 10 * TOLERANCE));
        free_twin(&a);
        free_twin(&b);
    }
    twin a = make_twin("", DISTILLED, -1), b = make_twin("", DISTILLED, -1);
    b.net->layers[0].weights[0] += .01f;
    assert_true(train_beside(&a, &b).worst > TOLERANCE);
    free_twin(&a);
    free_twin(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_of_the_cpu_are_equal),
        cmocka_unit_test(a_difference_is_found),
        ON_GPU(convolutions),
        ON_GPU(batch_normalizations),
        ON_GPU(ends_of_layers),
        ON_GPU(fused_batchnorm),
        ON_GPU(poolings),
        ON_GPU(shortcuts_and_routes),
        ON_GPU(shortcuts_of_all_kinds),
        ON_GPU(learning_rates_of_layers),
        ON_GPU(dlb_cost),
        ON_GPU(losses_read_when_they_are_logged),
        ON_GPU(rows_sent_ahead),
        ON_GPU(nesterov),
        ON_GPU(decay_of_all_parameters),
        ON_GPU(algorithms_by_measuring),
        ON_GPU(strict_float32),
        ON_GPU(another_batch),
        /* Last, for where CUDA refuses to capture something the program ends. */
        ON_GPU(steps_as_graphs),
        ON_GPU(normalizations_as_graphs),
        ON_GPU(fused_batchnorm_as_graphs),
        ON_GPU(ends_of_layers_as_graphs),
        ON_GPU(branches_as_graphs),
        ON_GPU(poolings_as_graphs),
        ON_GPU(graphs_around_another_batch),
        ON_GPU(fused_batchnorm_beside_the_other),
        ON_GPU(fused_batchnorm_around_another_batch),
    };
    return cmocka_run_group_tests_name("gpu_twins", tests, NULL, NULL);
}
