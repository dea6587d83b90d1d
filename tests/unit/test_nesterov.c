/* Nesterov's momentum on top of the host's updates, against torch.optim.SGD's formula in double:
 * each kind of layer and of parameter, a rate that changes, learning_rate= of a layer, a run that
 * goes on from updates that are there already. tests/trajectory has PyTorch itself. */
#include "nesterov.h"

#include <fcntl.h>
#include <math.h>

#include "random_stream.h"
#include "recipe.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "network.h"
#pragma GCC diagnostic pop

#include "expect_fail.h"
#include "temporary_file.h"

enum { BATCH = 4, ITERATIONS = 8, MOST_VALUES = 3000 };
static const double MOMENTUM = .9, DECAY = .01;

static network *parse(const char *keys, const char *layers) {
    FILE *cfg = fopen(file, "w");
    assert_non_null(cfg);
    fprintf(cfg,
            "[net]\nbatch=%d\nwidth=6\nheight=6\nchannels=3\nmomentum=%g\ndecay=%g\n"
            "learning_rate=.2\n%s\n%s",
            BATCH, MOMENTUM, DECAY, keys, layers);
    assert_int_equal(fclose(cfg), 0);
    network *net = parse_network_cfg(file);
    allow_recipe_training(net);
    return net;
}

static const char every_kind[] =
    "[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=linear\nlearning_rate=.5\n"
    "[local]\nfilters=2\nsize=3\nstride=1\npad=1\nactivation=linear\n"
    "[deconvolutional]\nbatch_normalize=1\nfilters=2\nsize=2\nstride=2\nactivation=linear\n"
    "[connected]\nbatch_normalize=1\noutput=5\nactivation=linear\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n";

/* One array of a layer, with a copy that is trained beside it as PyTorch does. */
typedef struct {
    const char *name;
    float *values, *updates;
    int count;
    double decay, rate_scale;
    double w[MOST_VALUES], v[MOST_VALUES];
} array;

static void add_array(array **next, const layer *l, const char *name, float *values, float *updates,
                      int count, double decay) {
    if (!values)
        return;
    array *a = (*next)++;
    assert_in_range(count, 1, MOST_VALUES);
    *a = (array){name, values, updates, count, decay, l->learning_rate_scale};
    for (int i = 0; i < count; i++) {
        a->w[i] = values[i];
        a->v[i] = -updates[i] / (BATCH * MOMENTUM);
    }
}

static int weight_count(const layer *l) {
    switch (l->type) {
    case CONNECTED:
        return l->inputs * l->outputs;
    case LOCAL:
        return l->size * l->size * l->c * l->n * l->out_w * l->out_h;
    default:
        return l->size * l->size * l->c * l->n;
    }
}

static int list_arrays(const network *net, array *arrays) {
    array *next = arrays;
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        bool flat = l->type == CONNECTED || l->type == LOCAL;
        int biases = flat ? l->outputs : l->n;
        if (!l->update)
            continue;
        add_array(&next, l, "weights", l->weights, l->weight_updates, weight_count(l), DECAY);
        add_array(&next, l, "biases", l->biases, l->bias_updates, biases, 0);
        add_array(&next, l, "scales", l->scales, l->scale_updates, biases, 0);
    }
    return (int)(next - arrays);
}

/* Adds gradients to the host's sums, and takes PyTorch's step with them. */
static void train_beside(array *a, random_stream *stream, double rate, bool looks_ahead) {
    for (int i = 0; i < a->count; i++) {
        float gradient = random_uniform(stream, -1, 1);
        a->updates[i] -= BATCH * gradient;
        double g = gradient + a->decay * a->w[i];
        a->v[i] = MOMENTUM * a->v[i] + g;
        a->w[i] -= rate * a->rate_scale * (looks_ahead ? g + MOMENTUM * a->v[i] : a->v[i]);
    }
}

/* The largest distance of a value from where PyTorch has it. */
static double distance(const array *a) {
    double worst = 0;
    for (int i = 0; i < a->count; i++) {
        double off = fabs(a->values[i] - a->w[i]);
        worst = off <= worst ? worst : off; /* NaN stays */
    }
    return worst;
}

static void set_random(float *values, int count, random_stream *stream) {
    for (int i = 0; i < count; i++)
        values[i] = random_uniform(stream, -1, 1);
}

/* Trains the network of every_kind; returns the largest distance of all arrays. */
static double train(const char *keys, bool looks_ahead, bool goes_on) {
    enum { MOST_ARRAYS = 20 };
    static array arrays[MOST_ARRAYS];
    network *net = parse(keys, every_kind);
    random_stream stream = {5};
    int count = list_arrays(net, arrays);
    assert_int_equal(count, 15); /* six layers, three of them with scales */
    for (int i = 0; i < count && goes_on; i++)
        set_random(arrays[i].updates, arrays[i].count, &stream);
    list_arrays(net, arrays);
    double worst = 0;
    for (int iteration = 1; iteration <= ITERATIONS; iteration++) {
        net->learning_rate = iteration > ITERATIONS / 2 ? .02f : .2f;
        begin_recipe_step(net);
        for (int i = 0; i < count; i++)
            train_beside(&arrays[i], &stream, net->learning_rate, looks_ahead);
        update_network(net);
        for (int i = 0; i < count; i++)
            worst = fmax(worst, isnan(distance(&arrays[i])) ? INFINITY : distance(&arrays[i]));
    }
    free_network(net);
    return worst;
}

/* Values of up to 10. */
static const double TOLERANCE = 2e-5;

static void every_parameter_moves_as_in_pytorch(void **state) {
    (void)state;
    assert_true(train("nesterov=1", true, false) < TOLERANCE);
}

static void a_run_that_goes_on_keeps_its_momentum(void **state) {
    (void)state;
    assert_true(train("nesterov=1", true, true) < TOLERANCE);
}

/* The comparison can fail. */
static void without_the_key_momentum_is_the_hosts(void **state) {
    (void)state;
    assert_true(train("", false, true) < TOLERANCE);
    assert_true(train("nesterov=0", false, true) < TOLERANCE);
    assert_true(train("nesterov=0", true, true) > .1);
}

static void a_layer_that_is_not_known_is_found(void **state) {
    (void)state;
    network *net = parse("nesterov=1", every_kind);
    assert_int_equal(find_layer_without_nesterov(net), -1);
    free_network(net);
    net = parse("nesterov=1", "[connected]\noutput=4\n[gru]\noutput=4\n[connected]\noutput=3\n"
                              "activation=linear\n[softmax]\n");
    assert_int_equal(find_layer_without_nesterov(net), 1);
    free_network(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_moves_as_in_pytorch),
        cmocka_unit_test(a_run_that_goes_on_keeps_its_momentum),
        cmocka_unit_test(without_the_key_momentum_is_the_hosts),
        cmocka_unit_test(a_layer_that_is_not_known_is_found),
    };
    return cmocka_run_group_tests_name("nesterov", tests, make_file, remove_file);
}
