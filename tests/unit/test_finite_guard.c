/* Numbers that are not finite: found in every array of every kind of layer, and gone without a
 * trace where the update is dropped. */
#include "small_network.h"

#include "dlb_cost_layer.h"
#include "finite_guard.h"
#include "finite_values.h"
#include "layer_arrays.h"

#include <float.h>
#include <math.h>

#include "expect_fail.h"

static float value_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- the look at bits ---- */

static void bits_tell_what_is_finite(void **state) {
    (void)state;
    const float finite[] = {0, -0.f, 1, -1, FLT_MAX, -FLT_MAX, FLT_MIN, FLT_TRUE_MIN, 1e-40f};
    const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff};
    for (size_t i = 0; i < sizeof finite / sizeof *finite; i++)
        assert_string_equal(kind_of_value(finite[i]), "finite");
    for (size_t i = 0; i < sizeof nans / sizeof *nans; i++)
        assert_string_equal(kind_of_value(value_of_bits(nans[i])), "NaN");
    assert_string_equal(kind_of_value(INFINITY), "infinite");
    assert_string_equal(kind_of_value(-INFINITY), "infinite");
}

static void first_is_found_wherever_it_is(void **state) {
    (void)state;
    enum { MANY = 200003 };
    float *values = calloc(MANY, sizeof *values);
    assert_non_null(values);
    assert_int_equal(first_not_finite(values, 0), 0);
    assert_int_equal(first_not_finite(values, MANY), MANY);
    const size_t places[] = {0, 1, 7, 63, 1000, MANY / 2, MANY - 2, MANY - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        values[places[i]] = i % 2 ? NAN : -INFINITY;
        assert_int_equal(first_not_finite(values, MANY), places[i]);
        assert_int_equal(first_not_finite(values, places[i]), places[i]);
        values[places[i]] = FLT_MAX;
    }
    free(values);
}

/* ---- networks ---- */

#define NET_OF(batch, subdivisions)                                                                \
    "[net]\nbatch=" #batch "\nsubdivisions=" #subdivisions "\nwidth=8\nheight=8\nchannels=3\n"     \
    "momentum=0.9\ndecay=0.0005\nlearning_rate=0.01\npolicy=constant\nmax_batches=9\n"

static const char NORMALIZED[] =
    NET_OF(4, 1) "[convolutional]\nfilters=8\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
                 "[batchnorm]\n[activation]\nactivation=relu\n[maxpool]\nsize=2\nstride=2\n"
                 "[connected]\noutput=3\nactivation=linear\n[softmax]\n";
static const char DISTILLED[] = NET_OF(
    8, 2) "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n"
          "[connected]\noutput=3\nactivation=linear\nbatch_normalize=1\n[softmax]\n[dlb_cost]\n";
static const char *const OF_EVERY_KIND[] = {
    NORMALIZED,
    NET_OF(4, 1) "[deconvolutional]\nfilters=2\nsize=2\nstride=2\nbatch_normalize=1\n"
                 "activation=relu\n[connected]\noutput=3\nactivation=linear\n[softmax]\n",
    NET_OF(4, 1) "[local]\nfilters=2\nsize=3\nstride=2\npad=1\nactivation=relu\n[softmax]\n",
    NET_OF(4, 1) "[rnn]\noutput=4\nhidden=5\nbatch_normalize=1\nactivation=relu\n[softmax]\n",
    NET_OF(4, 1) "[gru]\noutput=4\n[softmax]\n",
    NET_OF(4, 1) "[lstm]\noutput=4\nbatch_normalize=1\n[softmax]\n",
    NET_OF(4, 1) "[crnn]\noutput_filters=2\nhidden_filters=3\nactivation=relu\n[softmax]\n",
};
enum { KINDS = sizeof OF_EVERY_KIND / sizeof *OF_EVERY_KIND };

static network *make_network_of(const char *text) {
    srand(7);
    network *net = parse_network_text(text);
    if (find_dlb_cost_layer(net))
        prepare_dlb_cost_training(find_dlb_cost_layer(net), net, "x.cfg");
    return net;
}

/* One iteration, the same for every network of the same text and `seed`; micro-batch number
 * `poisoned` has an input that is not a number. Returns whether its update was dropped. */
static bool train_step(network *net, unsigned seed, int poisoned) {
    static int64_t ids[16];
    srand(seed);
    if (net->guard)
        finite_guard_begin(net->guard);
    for (int slot = 0; slot < net->subdivisions; slot++) {
        draw_floats(net->input, net->batch * net->inputs);
        memset(net->truth, 0, (size_t)(net->batch * net->truths) * sizeof *net->truth);
        for (int row = 0; row < net->batch; row++) {
            net->truth[row * net->truths + rand() % net->truths] = 1;
            ids[row] = row % (net->batch / 2);
        }
        if (slot == poisoned)
            net->input[5] = NAN;
        if (find_dlb_cost_layer(net))
            set_dlb_cost_samples(find_dlb_cost_layer(net), slot, ids);
        train_network_datum(net);
    }
    return net->guard && finite_guard_end(net->guard);
}

static void assert_same_arrays(const network *a, const network *b) {
    layer_array of_a[MOST_LAYER_ARRAYS], of_b[MOST_LAYER_ARRAYS];
    for (int i = 0; i < a->n; i++) {
        int count = list_layer_arrays(&a->layers[i], of_a);
        assert_int_equal(list_layer_arrays(&b->layers[i], of_b), count);
        for (int k = 0; k < count; k++) {
            size_t bytes = of_a[k].count * sizeof(float);
            assert_memory_equal(of_a[k].values, of_b[k].values, bytes);
            if (of_a[k].updates)
                assert_memory_equal(of_a[k].updates, of_b[k].updates, bytes);
        }
    }
}

/* ---- dropping ---- */

static void drops_without_a_trace(const char *text, int poisoned) {
    network *watched = make_network_of(text), *undisturbed = make_network_of(text);
    struct finite_guard *guard = finite_guard_create(watched, "x.cfg", true);
    for (unsigned seed = 1; seed <= 2; seed++) {
        assert_false(train_step(watched, seed, -1));
        train_step(undisturbed, seed, -1);
    }
    assert_same_arrays(watched, undisturbed);
    assert_true(train_step(watched, 3, poisoned));
    assert_same_arrays(watched, undisturbed);
    assert_int_equal(finite_guard_dropped(guard), 1);
    layer *dlb = find_dlb_cost_layer(watched);
    if (dlb) { /* which has no teacher in the next step, so its twin must not have one either */
        assert_true(take_dlb_cost_sums(dlb).teachers > 0);
        forget_dlb_cost_teachers(find_dlb_cost_layer(undisturbed));
    }
    for (unsigned seed = 4; seed <= 5; seed++) {
        assert_false(train_step(watched, seed, -1));
        train_step(undisturbed, seed, -1);
        if (dlb)
            assert_int_equal(take_dlb_cost_sums(dlb).teachers,
                             seed == 4 ? 0 : watched->batch / 2 * watched->subdivisions);
    }
    assert_same_arrays(watched, undisturbed);
    finite_guard_free(guard);
    free_network(watched);
    free_network(undisturbed);
}

static void dropped_update_leaves_no_trace(void **state) {
    (void)state;
    drops_without_a_trace(NORMALIZED, 0);
    drops_without_a_trace(DISTILLED, 0);
    drops_without_a_trace(DISTILLED, 1);
}

/* Statistics alone spoil an iteration, too, and can still be put back. */
static void statistics_are_put_back(void **state) {
    (void)state;
    network *net = make_network_of(NORMALIZED);
    struct finite_guard *guard = finite_guard_create(net, "x.cfg", true);
    float *variance = &net->layers[0].rolling_variance[3], before = *variance;
    finite_guard_begin(guard);
    *variance = INFINITY;
    assert_false(passes_finite_guard(net, 1));
    assert_true(finite_guard_end(guard));
    assert_memory_equal(variance, &before, sizeof before);
    finite_guard_free(guard);
    free_network(net);
}

/* ---- every array ---- */

typedef struct {
    network *net;
    float *value; /* that is spoiled */
    bool is_gradient;
} spoiled;

static void run_guard(void *arg) {
    spoiled *s = arg;
    finite_guard_create(s->net, "x.cfg", false);
    finite_guard_begin(s->net->guard);
    *s->value = s->is_gradient ? NAN : INFINITY;
    if (passes_finite_guard(s->net, 1))
        finite_guard_end(s->net->guard);
}

static void save(void *arg) {
    spoiled *s = arg;
    *s->value = NAN;
    save_weights(s->net, "/dev/full/x.weights");
}

static void expect_sentence(void (*action)(void *), spoiled *s, const char *format,
                            const char *what, int index) {
    char expected[256];
    snprintf(expected, sizeof expected, format, what, index,
             get_layer_string(s->net->layers[index].type));
    expect_fail(action, s, expected);
}

static void try_array(network *net, int index, const layer_array *array) {
    char *name = describe_layer_array(array, 0), *gradient = describe_layer_array(array, 1);
    spoiled values = {net, &array->values[array->count - 1], false};
    expect_sentence(run_guard, &values,
                    "learning rate 0.01: the %s of layer %d, a [%s], has a value that is infinite",
                    name, index);
    expect_sentence(
        save, &values,
        "/dev/full/x.weights is not written: the %s of layer %d, a [%s], has a value that is NaN",
        name, index);
    if (array->updates) {
        spoiled updates = {net, &array->updates[array->count / 2], true};
        expect_sentence(run_guard, &updates,
                        "x.cfg: iteration 0, learning rate 0.01: the %s of layer %d, a [%s], has a "
                        "value that is NaN",
                        gradient, index);
    }
    free(name);
    free(gradient);
}

static void every_array_is_watched(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        network *net = make_network_of(OF_EVERY_KIND[kind]);
        int tried = 0;
        for (int i = 0; i < net->n; i++) {
            layer_array arrays[MOST_LAYER_ARRAYS];
            int count = list_layer_arrays(&net->layers[i], arrays);
            for (int k = 0; k < count; k++, tried++)
                try_array(net, i, &arrays[k]);
        }
        assert_true(tried > 0);
        free_network(net);
    }
}

/* ---- the loss ---- */

/* A probability that underflows is no fault: its loss is finite, computed from the logits. */
static void underflow_is_no_fault(void **state) {
    (void)state;
    network *net = make_network_of(NORMALIZED);
    struct finite_guard *guard = finite_guard_create(net, "x.cfg", true);
    assert_false(train_step(net, 1, -1));
    *net->cost = INFINITY;
    assert_true(passes_finite_guard(net, 1));
    net->layers[net->n - 2].output[0] = -INFINITY;
    assert_false(passes_finite_guard(net, 1));
    finite_guard_free(guard);
    free_network(net);
}

typedef struct {
    const struct finite_guard *guard;
    float sum;
} deferred;

static void check_deferred(void *arg) {
    const deferred *d = arg;
    finite_guard_check_deferred(d->guard, d->sum);
}

/* What is known of them is their sum, after the last micro-batch. */
static void deferred_losses_are_watched(void **state) {
    (void)state;
    network *net = make_network_of(NORMALIZED);
    struct finite_guard *guard = finite_guard_create(net, "x.cfg", false);
    assert_false(train_step(net, 1, -1));
    deferred nan = {guard, NAN}, infinite = {guard, INFINITY};
    finite_guard_check_deferred(guard, 7);
    finite_guard_check_deferred(guard, INFINITY); /* an underflow */
    expect_fail(check_deferred, &nan,
                "x.cfg: iteration 1, learning rate 0.01: the loss is NaN; the training stops");
    net->layers[net->n - 2].output[0] = -INFINITY;
    expect_fail(check_deferred, &infinite,
                "x.cfg: iteration 1, learning rate 0.01: the loss is infinite; the training stops");
    finite_guard_free(guard);
    free_network(net);
}

static void poison_and_train(void *text) {
    network *net = make_network_of(text);
    finite_guard_create(net, "x.cfg", false);
    train_step(net, 1, 0);
}

/* Must come first: a forked child cannot use OpenMP once its parent has. */
static void fault_names_the_first_layer(void **state) {
    (void)state;
    int status;
    char *said = expect_fail_said(poison_and_train, (void *)NORMALIZED, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    /* Which of its arrays depends on the host's -Ofast, under which a leaky NaN may be a number. */
    const char *sentence = strstr(said, "\ndarknet: x.cfg: iteration 1, learning rate 0.01: the ");
    assert_non_null(sentence);
    assert_non_null(strstr(sentence, " of layer 0, a [convolutional], has a value that is NaN; the "
                                     "training stops, and weights that were saved stay as they "
                                     "are\n"));
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_names_the_first_layer),
        cmocka_unit_test(bits_tell_what_is_finite),
        cmocka_unit_test(first_is_found_wherever_it_is),
        cmocka_unit_test(dropped_update_leaves_no_trace),
        cmocka_unit_test(statistics_are_put_back),
        cmocka_unit_test(every_array_is_watched),
        cmocka_unit_test(underflow_is_no_fault),
        cmocka_unit_test(deferred_losses_are_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
