/* The layer inside Darknet: goldens and finite differences through the host's own forward and
 * backward passes, the ring's life over iterations and micro-batches, inference; on the CPU and,
 * where there is one, on the GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <unistd.h>

#include "dlb_cost_layer.h"
#include "golden.h"
#include "logit_ring.h"
#include "network.h"
#include "softmax_layer.h"
#include "test_device.h"

/* ---- a network whose logits the test sets: a layer without arithmetic, softmax, dlb_cost ---- */

static void no_pass(layer l, network net) {
    (void)l;
    (void)net;
}

#ifdef GPU
/* The logits that the test has set. */
static void push_output(layer l, network net) {
    (void)net;
    cuda_push_array(l.output_gpu, l.output, (size_t)(l.batch * l.outputs));
}
#endif

/* What the host's parser makes on the device, and the bare layer's part of it. */
static void put_on_device(network *net, layer *logits) {
    (void)net;
    (void)logits;
#ifdef GPU
    if (gpu_index < 0)
        return;
    size_t values = (size_t)(net->batch * net->inputs);
    net->input_gpu = cuda_make_array(net->input, values);
    net->truth_gpu = cuda_make_array(net->truth, values);
    logits->output_gpu = cuda_make_array(logits->output, values);
    logits->delta_gpu = cuda_make_array(logits->delta, values);
    logits->forward_gpu = push_output;
    logits->backward_gpu = no_pass;
#endif
}

static network *make_bare_network(int batch, int subdivisions, int classes, float alpha,
                                  float temperature) {
    network *net = make_network(3);
    net->batch = batch;
    net->subdivisions = subdivisions;
    net->gpu_index = gpu_index;
    layer *logits = &net->layers[0];
    logits->type = BLANK;
    logits->batch = batch;
    logits->outputs = classes;
    logits->output = calloc((size_t)(batch * classes), sizeof(float));
    logits->delta = calloc((size_t)(batch * classes), sizeof(float));
    logits->forward = no_pass;
    logits->backward = no_pass;
    net->layers[1] = make_softmax_layer(batch, classes, 1);
    net->layers[1].temperature = 1;
    net->layers[2] =
        make_dlb_cost_layer(batch, classes, 0, 1, alpha, temperature, net->layers[1].output);
    net->inputs = net->outputs = net->truths = classes;
    net->input = calloc((size_t)(batch * classes), sizeof(float));
    net->truth = calloc((size_t)(batch * classes), sizeof(float));
    net->train = 1;
    put_on_device(net, logits);
    prepare_dlb_cost_training(&net->layers[2], net, "test.cfg");
    return net;
}

static void free_bare_network(network *net) {
    free(net->layers[1].loss); /* the host forgets it */
    free(net->seen);
    free(net->t);
    free(net->cost);
    free_network(net);
}

static void pass(network *net, int slot, const int64_t *ids) {
    set_dlb_cost_samples(&net->layers[2], slot, ids);
    forward_network(net);
    backward_network(net);
    pull_network(net);
}

/* ---- goldens ---- */

static void expect_close(const char *what, double value, double reference, double absolute) {
    if (!(fabs(value - reference) <= absolute + 1e-5 * fabs(reference)))
        fail_msg("%s is %.9g, expected %.9g", what, value, reference);
}

/* One iteration in which the second half's logits are the teacher's, then the golden's own. */
static void check_golden(const char *name) {
    golden g = golden_read(name);
    size_t half = (size_t)g.overlap * (size_t)g.classes, all = (size_t)g.batch * (size_t)g.classes;
    network *net = make_bare_network(g.batch, 1, g.classes, g.alpha, g.temperature);
    int64_t *first = calloc((size_t)g.batch, sizeof *first);
    int64_t *second = calloc((size_t)g.batch, sizeof *second);
    for (int row = 0; row < g.batch; row++) {
        first[row] = row;
        second[row] = row + g.overlap;
        net->truth[row * g.classes + g.labels[row]] = 1;
    }
    memcpy(net->layers[0].output + half, g.teacher, half * sizeof(float));
    pass(net, 0, first);
    assert_int_equal(take_dlb_cost_sums(&net->layers[2]).teachers, 0);

    memcpy(net->layers[0].output, g.logits, all * sizeof(float));
    pass(net, 0, second);
    dlb_cost_sums sums = take_dlb_cost_sums(&net->layers[2]);
    double ce = sums.cross_entropy / g.batch, lb = sums.consistency / (g.batch / 2.);
    assert_int_equal(sums.teachers, g.overlap);
    expect_close("ce", ce, g.ce, 0);
    expect_close("lb", lb, g.lb, 1e-12);
    expect_close("total", ce + g.alpha * lb, g.total, 0);
    /* Darknet's deltas are minus the gradient of the sum over rows. Its softmax works in float, so
     * a gradient next to 0 carries the rounding of probabilities next to 1. */
    for (size_t i = 0; i < all; i++)
        expect_close("gradient", -net->layers[0].delta[i] / (float)g.batch, g.gradient[i],
                     2e-7 / g.batch);
    golden_free(&g);
    free_bare_network(net);
    free(first);
    free(second);
}

#define GOLDEN(name)                                                                               \
    static void golden_##name(void **state) {                                                      \
        use_device(state);                                                                         \
        check_golden(#name);                                                                       \
    }
GOLDEN(paper_defaults)
GOLDEN(two_rows_two_classes)
GOLDEN(cifar100)
GOLDEN(cool_temperature)
GOLDEN(temperature_one)
GOLDEN(hot_temperature)
GOLDEN(imagenet_classes)
GOLDEN(alpha_zero)
GOLDEN(huge_logits)
GOLDEN(teacher_equals_student)
GOLDEN(one_class_dominates)

/* ---- the ring over iterations ---- */

enum { BATCH = 4, CLASSES = 3 };

static void set_logits(network *net, float first) {
    for (int i = 0; i < BATCH * CLASSES; i++)
        net->layers[0].output[i] = first + (float)(i * i % 7);
}

static void a_row_without_its_teacher_adds_nothing(void **state) {
    use_device(state);
    network *net = make_bare_network(BATCH, 1, CLASSES, 1, 3);
    const int64_t first[BATCH] = {0, 1, 2, 3}, second[BATCH] = {2, 99, 4, 5};
    set_logits(net, 0);
    pass(net, 0, first);
    take_dlb_cost_sums(&net->layers[2]);
    net->layers[0].output[0] += 5;
    net->layers[0].output[CLASSES] += 5;
    pass(net, 0, second);
    assert_int_equal(take_dlb_cost_sums(&net->layers[2]).teachers, 1);
    float *delta = net->layers[0].delta, *softmax = net->layers[1].delta;
    assert_true(delta[0] != softmax[0]);
    for (int i = CLASSES; i < BATCH * CLASSES; i++)
        assert_true(delta[i] == softmax[i]);
    free_bare_network(net);
}

static void softmax_keeps_its_own_delta_and_cost(void **state) {
    use_device(state);
    network *net = make_bare_network(BATCH, 1, CLASSES, 1, 3);
    const int64_t first[BATCH] = {0, 1, 2, 3}, second[BATCH] = {2, 3, 4, 5};
    for (int row = 0; row < BATCH; row++)
        net->truth[row * CLASSES + row % CLASSES] = 1;
    set_logits(net, 0);
    pass(net, 0, first);
    set_logits(net, 1);
    net->layers[0].output[0] += 2;
    pass(net, 0, second);
    assert_int_equal(take_dlb_cost_sums(&net->layers[2]).teachers, 2);
    for (int i = 0; i < BATCH * CLASSES; i++)
        assert_true(net->layers[1].delta[i] == net->truth[i] - net->layers[1].output[i]);
    assert_true(*net->cost == *net->layers[1].cost); /* not averaged with another layer's */
    free_bare_network(net);
}

static void the_teacher_is_the_same_slot_one_iteration_ago(void **state) {
    use_device(state);
    network *net = make_bare_network(BATCH, 2, CLASSES, 1, 3);
    const int64_t ids[3][2][BATCH] = {{{0, 1, 2, 3}, {4, 5, 6, 7}},
                                      {{2, 3, 8, 9}, {6, 7, 10, 11}},
                                      {{8, 9, 12, 13}, {8, 9, 14, 15}}};
    const int teachers[3][2] = {{0, 0}, {2, 2}, {2, 0}}; /* slot 1 never saw 8 and 9 */
    for (int iteration = 0; iteration < 3; iteration++)
        for (int slot = 0; slot < 2; slot++) {
            set_logits(net, (float)(iteration + slot));
            pass(net, slot, ids[iteration][slot]);
            assert_int_equal(take_dlb_cost_sums(&net->layers[2]).teachers,
                             teachers[iteration][slot]);
        }
    free_bare_network(net);
}

/* As a checkpoint does it: the ring is read, lost, and put back. */
static void the_ring_can_be_read_and_put_back(void **state) {
    use_device(state);
    enum { ROWS = 2 * BATCH / 2 }; /* of two slots */
    network *net = make_bare_network(BATCH, 2, CLASSES, 1, 3);
    layer *dlb = &net->layers[2];
    const int64_t ids[2][2][BATCH] = {{{0, 1, 2, 3}, {4, 5, 6, 7}}, {{2, 3, 8, 9}, {6, 7, 10, 11}}};
    int64_t kept_ids[ROWS];
    float kept_logits[ROWS * CLASSES];
    for (int slot = 0; slot < 2; slot++) {
        set_logits(net, (float)slot);
        pass(net, slot, ids[0][slot]);
        float *new_rows = net->layers[0].output + BATCH / 2 * CLASSES;
        memcpy(kept_logits + slot * BATCH / 2 * CLASSES, new_rows, sizeof kept_logits / 2);
        memcpy(kept_ids + slot * BATCH / 2, ids[0][slot] + BATCH / 2, sizeof kept_ids / 2);
    }
    logit_ring_contents ring = logit_ring_all(dlb_cost_ring(dlb));
    assert_memory_equal(ring.ids, kept_ids, sizeof kept_ids);
    assert_memory_equal(ring.logits, kept_logits, sizeof kept_logits);

    forget_dlb_cost_teachers(dlb);
    take_dlb_cost_sums(dlb);
    for (int slot = 0; slot < 2; slot++)
        pass(net, slot, ids[1][slot]);
    assert_int_equal(take_dlb_cost_sums(dlb).teachers, 0);

    ring = logit_ring_all(dlb_cost_ring(dlb));
    assert_int_equal(ring.ids[0], 8);
    memcpy(ring.ids, kept_ids, sizeof kept_ids);
    memcpy(ring.logits, kept_logits, sizeof kept_logits);
    take_dlb_cost_ring(dlb);
    for (int slot = 0; slot < 2; slot++) {
        memcpy(net->layers[0].output, kept_logits + slot * BATCH / 2 * CLASSES,
               sizeof kept_logits / 2);
        pass(net, slot, ids[1][slot]);
    }
    dlb_cost_sums sums = take_dlb_cost_sums(dlb);
    assert_int_equal(sums.teachers, BATCH);
    assert_true(sums.consistency == 0); /* each row is its teacher's */
    free_bare_network(net);
}

static void inference_leaves_ring_and_output_alone(void **state) {
    use_device(state);
    network *net = make_bare_network(BATCH, 1, CLASSES, 1, 3);
    const int64_t first[BATCH] = {0, 1, 2, 3}, second[BATCH] = {2, 3, 4, 5};
    set_logits(net, 0);
    pass(net, 0, first);
    take_dlb_cost_sums(&net->layers[2]);
    for (int batch = 1; batch <= BATCH; batch++) {
        float input[BATCH * CLASSES] = {0};
        set_batch_network(net, batch);
        set_logits(net, 100);
        network_predict(net, input);
        assert_int_equal(take_dlb_cost_sums(&net->layers[2]).teachers, 0);
    }
    net->train = 1;
    set_logits(net, 0);
    memmove(net->layers[0].output, net->layers[0].output + 2 * CLASSES,
            2 * CLASSES * sizeof(float));
    pass(net, 0, second);
    dlb_cost_sums sums = take_dlb_cost_sums(&net->layers[2]);
    assert_int_equal(sums.teachers, 2);
    assert_true(sums.consistency == 0); /* the very logits of before the predictions */
    free_bare_network(net);
}

/* ---- finite differences through a real network ---- */

static const char CFG[] = "[net]\nbatch=6\nsubdivisions=1\nheight=5\nwidth=5\nchannels=2\n"
                          "momentum=0\ndecay=0\nlearning_rate=0.1\nmax_batches=1\n"
                          "[convolutional]\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=linear\n"
                          "[connected]\noutput=4\nactivation=linear\n"
                          "[softmax]\ngroups=1\n"
                          "[dlb_cost]\nalpha=0.8\ntemperature=2\n";

static network *load_text_cfg(const char *text) {
    char path[] = "/tmp/dlb_cost_layer_XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    network *net = parse_network_cfg(path);
    unlink(path);
    return net;
}

static void fill_random(float *values, int count) {
    for (int i = 0; i < count; i++)
        values[i] = (float)rand() / (float)RAND_MAX - .5f;
}

/* CE + alpha * LB, summed as Darknet's deltas see it, with the teacher taken from `kept` weights.
 */
static double total_after(network *net, layer *dlb, float *weights, int count, const float *kept,
                          float *inputs[2]) {
    static const int64_t ids[2][6] = {{0, 1, 2, 3, 4, 5}, {3, 4, 5, 6, 7, 8}};
    float *changed = malloc((size_t)count * sizeof(float));
    memcpy(changed, weights, (size_t)count * sizeof(float));
    memcpy(weights, kept, (size_t)count * sizeof(float));
    net->train = 1;
    net->input = inputs[0];
    set_dlb_cost_samples(dlb, 0, ids[0]);
    push_parameters(net);
    forward_network(net);
    take_dlb_cost_sums(dlb);
    memcpy(weights, changed, (size_t)count * sizeof(float));
    net->input = inputs[1];
    set_dlb_cost_samples(dlb, 0, ids[1]);
    push_parameters(net);
    forward_network(net);
    dlb_cost_sums sums = take_dlb_cost_sums(dlb);
    assert_int_equal(sums.teachers, 3);
    free(changed);
    return sums.cross_entropy + .8 * 2 * sums.consistency;
}

static void gradient_of_the_weights_agrees_with_finite_differences(void **state) {
    use_device(state);
    srand(3);
    network *net = load_text_cfg(CFG);
    layer *dlb = find_dlb_cost_layer(net), *conv = &net->layers[0];
    assert_non_null(dlb);
    prepare_dlb_cost_training(dlb, net, "test.cfg");
    float *own_input = net->input, *inputs[2];
    for (int i = 0; i < 2; i++) {
        inputs[i] = calloc((size_t)(net->inputs * net->batch), sizeof(float));
        fill_random(inputs[i], net->inputs * net->batch);
    }
    for (int row = 0; row < net->batch; row++)
        net->truth[row * 4 + row % 4] = 1;
    int count = conv->nweights;
    float *kept = malloc((size_t)count * sizeof(float));
    memcpy(kept, conv->weights, (size_t)count * sizeof(float));
    total_after(net, dlb, conv->weights, count, kept, inputs);
    memset(conv->weight_updates, 0, (size_t)count * sizeof(float));
    push_parameters(net);
    backward_network(net);
    pull_network(net);
    const float step = 0x1p-6f;
    for (int i = 0; i < count; i++) {
        conv->weights[i] = kept[i] + step;
        double above = total_after(net, dlb, conv->weights, count, kept, inputs);
        conv->weights[i] = kept[i] - step;
        double below = total_after(net, dlb, conv->weights, count, kept, inputs);
        conv->weights[i] = kept[i];
        double slope = (above - below) / (2 * step);
        if (!(fabs(slope + conv->weight_updates[i]) <= 1e-3 + 2e-3 * fabs(slope)))
            fail_msg("weight %d: slope %g, update %g", i, slope, (double)conv->weight_updates[i]);
    }
    free(inputs[0]);
    free(inputs[1]);
    free(kept);
    net->input = own_input;
    free_network(net);
}

static void logits_may_be_named_and_relative(void **state) {
    use_device(state);
    network *net = load_text_cfg("[net]\nbatch=2\ninputs=3\nmax_batches=1\n"
                                 "[connected]\noutput=4\nactivation=linear\n"
                                 "[connected]\noutput=4\nactivation=linear\n"
                                 "[softmax]\n"
                                 "[dlb_cost]\nlogits=-3\n");
    layer *dlb = find_dlb_cost_layer(net);
    prepare_dlb_cost_training(dlb, net, "test.cfg");
    static const int64_t ids[2][2] = {{0, 1}, {1, 2}};
    fill_random(net->input, 6);
    net->train = 1;
    for (int i = 0; i < 2; i++) {
        set_dlb_cost_samples(dlb, 0, ids[i]);
        forward_network(net);
        net->input[0] += 1;
    }
    pull_network(net);
    if (net->gpu_index < 0) /* on the GPU the forward pass has done it */
        backward_dlb_cost_layer(*dlb, *net);
    float size = 0;
    for (int k = 0; k < 4; k++) {
        size += fabsf(net->layers[0].delta[k]);
        assert_true(net->layers[1].delta[k] == 0);
        assert_true(net->layers[0].delta[4 + k] == 0); /* the new row */
    }
    assert_true(size > 0);
    free_network(net);
}

static void it_says_what_it_is(void **state) {
    use_device(state);
    network *net = make_bare_network(6, 2, 5, 0.5f, 4);
    dlb_cost_facts facts = describe_dlb_cost(&net->layers[2]);
    assert_true(facts.alpha == 0.5f);
    assert_true(facts.temperature == 4);
    assert_int_equal(facts.logits_layer, 0);
    assert_int_equal(facts.classes, 5);
    assert_int_equal(facts.half, 3);
    assert_int_equal(facts.ring_bytes, 2 * 3 * (5 * 4 + 8));
    assert_int_equal(facts.delta_bytes, gpu_index < 0 ? 3 * 5 * 4 : 0);
    free_bare_network(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_BOTH(golden_paper_defaults),
        ON_BOTH(golden_two_rows_two_classes),
        ON_BOTH(golden_cifar100),
        ON_BOTH(golden_cool_temperature),
        ON_BOTH(golden_temperature_one),
        ON_BOTH(golden_hot_temperature),
        ON_BOTH(golden_imagenet_classes),
        ON_BOTH(golden_alpha_zero),
        ON_BOTH(golden_huge_logits),
        ON_BOTH(golden_teacher_equals_student),
        ON_BOTH(golden_one_class_dominates),
        ON_BOTH(a_row_without_its_teacher_adds_nothing),
        ON_BOTH(softmax_keeps_its_own_delta_and_cost),
        ON_BOTH(the_teacher_is_the_same_slot_one_iteration_ago),
        ON_BOTH(the_ring_can_be_read_and_put_back),
        ON_BOTH(inference_leaves_ring_and_output_alone),
        ON_BOTH(gradient_of_the_weights_agrees_with_finite_differences),
        ON_BOTH(logits_may_be_named_and_relative),
        ON_BOTH(it_says_what_it_is),
    };
    return cmocka_run_group_tests_name("dlb_cost_layer", tests, NULL, NULL);
}
