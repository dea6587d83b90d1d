/* Every layer that onednn/ takes over against the host's own code: the same small network twice,
 * once as parsed and once with the host's functions put back, the same weights and the same
 * batches. Compared are the output, the gradient of the input, the gradients of weights, biases
 * and scales, and the rolling statistics. */
#include <math.h>

#include "fail.h"
#include "small_network.h"

/* Last, because it makes a macro of fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Sums of a few thousand floats in another order; the host adds them up one by one. */
static const float RELATIVE = 2e-4f;

typedef struct {
    network *ours, *host;
} pair;

/* ---- two networks ---- */

static void copy_floats(float *to, const float *from, int count) {
    if (to && from)
        memcpy(to, from, (size_t)count * sizeof *to);
}

static void draw_parameters(pair p) {
    for (int i = 0; i < p.ours->n; i++) {
        layer a = p.ours->layers[i], b = p.host->layers[i];
        copy_floats(b.weights, a.weights, a.type == CONNECTED ? a.inputs * a.outputs : a.nweights);
        for (int k = 0; a.biases && k < a.outputs / (a.out_h * a.out_w); k++) {
            if (a.type != CONVOLUTIONAL || a.nbiases)
                a.biases[k] = b.biases[k] = draw();
            if (a.scales)
                a.scales[k] = b.scales[k] = draw() + 1.5f;
            if (a.rolling_mean) {
                a.rolling_mean[k] = b.rolling_mean[k] = draw();
                a.rolling_variance[k] = b.rolling_variance[k] = draw() + 2;
            }
        }
    }
}

static pair make_pair(const char *text) {
    srand(3);
    pair p = {parse_network_text(text), NULL};
    srand(3);
    p.host = parse_network_text(text);
    give_layers_back(p.host);
    draw_parameters(p);
    return p;
}

static void free_pair(pair p) {
    free_network(p.ours);
    free_network(p.host);
}

/* ---- comparison ---- */

static void compare(const char *what, int index, const float *ours, const float *host, int count) {
    float largest = 0;
    for (int i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(host[i]));
    for (int i = 0; i < count; i++)
        if (!(fabsf(ours[i] - host[i]) <= RELATIVE * (largest + 1e-3f)))
            fail_msg("layer %d, %s[%d]: %.8g, but the host has %.8g (largest %.3g)", index, what, i,
                     ours[i], host[i], largest);
}

static void compare_channels(int index, layer a, layer b) {
    compare("bias_updates", index, a.bias_updates, b.bias_updates, a.out_c);
    compare("biases", index, a.biases, b.biases, a.out_c);
    if (!a.scales)
        return;
    compare("scale_updates", index, a.scale_updates, b.scale_updates, a.out_c);
    compare("scales", index, a.scales, b.scales, a.out_c);
    compare("rolling_mean", index, a.rolling_mean, b.rolling_mean, a.out_c);
    compare("rolling_variance", index, a.rolling_variance, b.rolling_variance, a.out_c);
}

static void compare_parameters(pair p) {
    for (int i = 0; i < p.ours->n; i++) {
        layer a = p.ours->layers[i], b = p.host->layers[i];
        if (a.type != CONVOLUTIONAL && a.type != BATCHNORM)
            continue;
        compare_channels(i, a, b);
        if (a.type == BATCHNORM)
            continue;
        compare("weight_updates", i, a.weight_updates, b.weight_updates, a.nweights);
        compare("weights", i, a.weights, b.weights, a.nweights);
    }
}

/* ---- running ---- */

static void run(network *net, const float *input, const float *truth, float *delta, int train) {
    int inputs = net->inputs * net->batch;
    memcpy(net->input, input, (size_t)inputs * sizeof *input);
    memcpy(net->truth, truth, (size_t)net->truths * (size_t)net->batch * sizeof *truth);
    memset(delta, 0, (size_t)inputs * sizeof *delta);
    net->train = train;
    net->delta = delta;
    forward_network(net);
    if (train)
        backward_network(net);
    net->delta = NULL;
}

static void run_pair(pair p, int train) {
    network *net = p.ours;
    int inputs = net->inputs * net->batch, truths = net->truths * net->batch;
    float *input = allocate((size_t)inputs, sizeof *input);
    float *truth = allocate((size_t)truths, sizeof *truth);
    float *ours = allocate((size_t)inputs, sizeof *ours);
    float *host = allocate((size_t)inputs, sizeof *host);
    for (int i = 0; i < inputs; i++)
        input[i] = draw();
    for (int i = 0; i < truths; i++)
        truth[i] = draw();
    run(p.ours, input, truth, ours, train);
    run(p.host, input, truth, host, train);
    compare("output", net->n, p.ours->output, p.host->output, net->outputs * net->batch);
    if (train) {
        compare("input's delta", -1, ours, host, inputs);
        compare_parameters(p);
    }
    free(input);
    free(truth);
    free(ours);
    free(host);
}

static void expect_taken(const network *net, int layers) {
    int taken = 0;
    for (int i = 0; i < net->n; i++)
        taken += net->layers[i].cpu != NULL;
    assert_int_equal(taken, layers);
}

static char *cfg(int batch, int subdivisions, int channels, int height, int width,
                 const char *layers) {
    return format_string("[net]\nbatch=%d\nsubdivisions=%d\nchannels=%d\nheight=%d\nwidth=%d\n"
                         "learning_rate=.01\nmomentum=.9\ndecay=.001\ndecay_all=1\nmax_batches=9\n"
                         "%s\n"
                         "[cost]\ntype=sse\n",
                         batch * subdivisions, subdivisions, channels, height, width, layers);
}

/* Training, twice so that gradients accumulate, an update, inference, batch 1, and training again.
 * `taken` layers are oneDNN's; -1: as many as the library has kernels for on this processor. */
static void check_layers(int channels, int height, int width, const char *layers, int taken) {
    char *text = cfg(4, 2, channels, height, width, layers);
    pair p = make_pair(text);
    if (taken >= 0)
        expect_taken(p.ours, taken);
    run_pair(p, 1);
    run_pair(p, 1);
    update_network(p.ours);
    update_network(p.host);
    compare_parameters(p);
    run_pair(p, 0);
    set_batch_network(p.ours, 1);
    set_batch_network(p.host, 1);
    run_pair(p, 0);
    set_batch_network(p.ours, 4);
    set_batch_network(p.host, 4);
    run_pair(p, 1);
    free_pair(p);
    free(text);
}

/* ---- the layers ---- */

#define CONV(filters, size, stride, pad, activation)                                               \
    "[convolutional]\nfilters=" #filters "\nsize=" #size "\nstride=" #stride "\npadding=" #pad     \
    "\nactivation=" #activation "\n"
#define NORMALIZED(filters, size, stride, pad, activation)                                         \
    CONV(filters, size, stride, pad, activation) "batch_normalize=1\n"
/* Before a normalization, which would take a bias out again. */
#define UNBIASED(filters, size, stride, pad) CONV(filters, size, stride, pad, linear) "bias=0\n"
#define BATCHNORM_ALONE "[batchnorm]\n"
#define ACTIVATION(name) "[activation]\nactivation=" #name "\n"

static void test_convolution(void **state) {
    (void)state;
    check_layers(3, 11, 9, CONV(7, 3, 1, 1, linear), 1);
    check_layers(3, 11, 9, CONV(16, 3, 2, 1, relu), 1);
    check_layers(16, 8, 8, CONV(32, 1, 1, 0, leaky), 1);
    check_layers(20, 7, 5, CONV(33, 3, 1, 0, leaky), 1);
    check_layers(3, 12, 13, CONV(24, 5, 2, 2, leaky), 1);
    check_layers(3, 32, 32, CONV(16, 7, 2, 3, relu), 1);
}

/* Many channels, where the library may use Winograd's algorithm: where there are enough tiles, so
 * with batch 1 only in the first case and never in the last. */
static void test_wide_convolution(void **state) {
    (void)state;
    check_layers(3, 25, 23, CONV(64, 3, 1, 1, linear) CONV(70, 3, 1, 1, linear), 2);
    check_layers(3, 13, 11, CONV(64, 3, 1, 1, linear) CONV(70, 3, 1, 1, linear), 2);
    check_layers(3, 9, 10, CONV(96, 3, 1, 1, leaky) CONV(64, 3, 1, 1, leaky), 2);
    check_layers(3, 16, 16, CONV(64, 3, 1, 0, linear) NORMALIZED(128, 3, 1, 1, relu), 2);
    check_layers(3, 4, 4, CONV(64, 3, 1, 1, linear) NORMALIZED(64, 3, 1, 1, linear), 2);
}

static void test_normalized_convolution(void **state) {
    (void)state;
    check_layers(3, 11, 9, NORMALIZED(7, 3, 1, 1, linear), 1);
    check_layers(3, 11, 9, NORMALIZED(16, 3, 2, 1, relu), 1);
    check_layers(20, 40, 37, NORMALIZED(33, 3, 1, 1, leaky), 1);
    check_layers(16, 8, 8, NORMALIZED(48, 1, 1, 0, relu), 1);
}

static void test_chain(void **state) {
    (void)state;
    check_layers(3, 12, 12,
                 NORMALIZED(16, 3, 1, 1, relu) NORMALIZED(20, 3, 2, 1, leaky)
                     CONV(32, 1, 1, 0, leaky) CONV(5, 3, 1, 1, linear),
                 4);
}

static void test_groups(void **state) {
    (void)state;
    check_layers(32, 9, 9, CONV(64, 3, 1, 1, relu) "groups=2\n", 1);
    check_layers(32, 9, 9, NORMALIZED(32, 3, 2, 1, relu) "groups=32\n", 1);
    check_layers(12, 9, 9, NORMALIZED(12, 3, 1, 1, leaky) "groups=4\n", -1);
}

static void test_shortcut(void **state) {
    (void)state;
    check_layers(
        3, 12, 12,
        NORMALIZED(16, 3, 1, 1, relu) NORMALIZED(16, 3, 1, 1, relu)
            NORMALIZED(16, 3, 1, 1, linear) "[shortcut]\nfrom=-3\nactivation=relu\n" NORMALIZED(
                16, 3, 1, 1, linear) "[shortcut]\nfrom=-2\nactivation=leaky\n",
        6);
    check_layers(3, 12, 12,
                 CONV(20, 3, 1, 1, relu)
                     CONV(20, 3, 1, 1, leaky) "[shortcut]\nfrom=-2\nactivation=linear\n" CONV(
                         20, 1, 1, 0, relu) "[shortcut]\nfrom=-3\nactivation=linear\n"
                                            "[shortcut]\nfrom=-2\nactivation=linear\n",
                 6);
}

static void test_shortcut_of_another_shape(void **state) {
    (void)state;
    check_layers(3, 12, 12,
                 NORMALIZED(16, 3, 1, 1, relu) NORMALIZED(32, 3, 2, 1, relu)
                     NORMALIZED(32, 3, 1, 1, linear) "[shortcut]\nfrom=-3\nactivation=relu\n",
                 4);
    check_layers(3, 12, 12,
                 NORMALIZED(32, 3, 1, 1, relu)
                     NORMALIZED(16, 3, 2, 1, linear) "[shortcut]\nfrom=-2\nactivation=relu\n",
                 3);
    check_layers(3, 12, 12, /* channels that share no whole block: the host's */
                 NORMALIZED(20, 3, 1, 1, relu)
                     NORMALIZED(36, 3, 2, 1, linear) "[shortcut]\nfrom=-2\nactivation=relu\n",
                 2);
}

static void test_shortcut_with_factors_is_the_hosts(void **state) {
    (void)state;
    check_layers(
        3, 12, 12,
        CONV(16, 3, 1, 1, relu)
            CONV(16, 3, 1, 1, linear) "[shortcut]\nfrom=-2\nalpha=.5\nbeta=2\nactivation=relu\n",
        2);
}

static void test_maxpool(void **state) {
    (void)state;
    check_layers(3, 12, 12, CONV(20, 3, 1, 1, leaky) "[maxpool]\nsize=2\nstride=2\n", 2);
    check_layers(3, 13, 11, CONV(16, 3, 1, 1, leaky) "[maxpool]\nsize=3\nstride=2\n", 2);
    check_layers(3, 13, 11, CONV(16, 3, 1, 1, leaky) "[maxpool]\nsize=2\nstride=1\n", 2);
    check_layers(3, 13, 11, CONV(16, 3, 1, 1, leaky) "[maxpool]\nsize=5\nstride=3\npadding=0\n", 2);
    check_layers(3, 12, 12, "[maxpool]\nsize=2\nstride=2\n" CONV(20, 3, 1, 1, leaky), 1);
}

/* All values of a window are equal: the first one takes the gradient. */
static void test_maxpool_of_equals(void **state) {
    (void)state;
    char *text = cfg(2, 1, 3, 9, 9, CONV(16, 3, 1, 1, linear) "[maxpool]\nsize=3\nstride=2\n");
    pair p = make_pair(text);
    memset(p.ours->layers[0].weights, 0, (size_t)p.ours->layers[0].nweights * sizeof(float));
    memset(p.host->layers[0].weights, 0, (size_t)p.host->layers[0].nweights * sizeof(float));
    run_pair(p, 1);
    free_pair(p);
    free(text);
}

static void test_avgpool(void **state) {
    (void)state;
    check_layers(3, 12, 12, CONV(20, 3, 1, 1, leaky) "[avgpool]\n", 2);
    check_layers(3, 12, 12, NORMALIZED(20, 3, 1, 1, leaky) "[avgpool]\n" CONV(32, 1, 1, 0, leaky),
                 3);
}

/* The host's layers between taken ones: they read and add to plain tensors. */
static void test_host_layers_between(void **state) {
    (void)state;
    check_layers(3, 12, 12,
                 CONV(16, 3, 1, 1, leaky) "[route]\nlayers=-1\n" NORMALIZED(
                     20, 3, 2, 1,
                     relu) "[route]\nlayers=0\n" CONV(16, 3, 2, 1,
                                                      leaky) "[route]\nlayers=-1,2\n" CONV(8, 3, 1,
                                                                                           1,
                                                                                           logistic)
                     CONV(16, 1, 1, 0, leaky),
                 4);
    check_layers(3, 9, 9, /* layer 1 is the host's; a route and a convolution add to its delta */
                 CONV(16, 3, 1, 1, leaky) "[route]\nlayers=-1\n" CONV(
                     16, 3, 1, 1, leaky) "[route]\nlayers=-1,1\n",
                 2);
    check_layers(3, 8, 8,
                 CONV(16, 3, 1, 1, leaky) "[maxpool]\nsize=2\nstride=2\n"
                                          "[connected]\noutput=9\nactivation=linear\n",
                 2);
}

static void test_another_size(void **state) {
    (void)state;
    char *text =
        cfg(2, 1, 3, 16, 16,
            NORMALIZED(16, 3, 1, 1, relu) NORMALIZED(
                16, 3, 1, 1,
                linear) "[shortcut]\nfrom=-2\nactivation=relu\n[maxpool]\nsize="
                        "2\nstride=2\n" BATCHNORM_ALONE ACTIVATION(
                            relu) "[avgpool]\nsize=2\nstride=2\n" CONV(8, 1, 1, 0,
                                                                       linear) "[avgpool]\n");
    pair p = make_pair(text);
    run_pair(p, 1);
    resize_network(p.ours, 20, 24);
    resize_network(p.host, 20, 24);
    run_pair(p, 1);
    run_pair(p, 0);
    free_pair(p);
    free(text);
}

/* The gradient of a 1x1 convolution is added to what a later shortcut left there. */
static void test_shortcut_over_1x1(void **state) {
    (void)state;
    check_layers(3, 9, 9,
                 CONV(16, 3, 1, 1, relu) CONV(16, 1, 1, 0, relu)
                     CONV(16, 3, 1, 1, linear) "[shortcut]\nfrom=-3\nactivation=relu\n",
                 4);
}

static void test_pointwise_with_a_stride(void **state) {
    (void)state;
    check_layers(16, 9, 7, CONV(32, 1, 2, 0, leaky), 1);
    check_layers(32, 8, 8, NORMALIZED(16, 1, 2, 0, relu), 1);
    check_layers(16, 10, 9, CONV(20, 1, 3, 0, linear) CONV(16, 1, 1, 0, relu), 2);
    check_layers(16, 7, 9, CONV(16, 1, 1, 1, linear), -1);
    check_layers(16, 7, 9, CONV(16, 1, 2, 1, leaky), -1);
    check_layers(3, 12, 12, /* a projected shortcut */
                 NORMALIZED(16, 3, 1, 1, relu) NORMALIZED(32, 3, 2, 1, relu)
                     NORMALIZED(32, 3, 1, 1, linear) "[route]\nlayers=-3\n" NORMALIZED(
                         32, 1, 2, 0, linear) "[shortcut]\nfrom=-3\n"
                                              "activation=relu\n",
                 5);
}

static void test_convolution_without_bias(void **state) {
    (void)state;
    check_layers(3, 11, 9, CONV(16, 3, 1, 1, relu) "bias=0\n", 1);
    check_layers(16, 8, 8, CONV(20, 1, 1, 0, linear) "bias=0\n" CONV(9, 3, 2, 1, leaky), 2);
}

static void test_batchnorm(void **state) {
    (void)state;
    check_layers(16, 11, 9, BATCHNORM_ALONE, 1);
    check_layers(21, 6, 7, BATCHNORM_ALONE CONV(9, 3, 1, 1, linear), 2);
    check_layers(3, 11, 9, BATCHNORM_ALONE CONV(16, 3, 1, 1, linear), 1);
    check_layers(19, 6, 7, UNBIASED(20, 3, 1, 1) BATCHNORM_ALONE, 2);
    check_layers(3, 12, 12, CONV(20, 3, 1, 1, leaky) BATCHNORM_ALONE CONV(16, 1, 1, 0, linear), 3);
    check_layers(3, 8, 8, "[connected]\noutput=9\nactivation=linear\n" BATCHNORM_ALONE, 0);
}

static void test_activation(void **state) {
    (void)state;
    check_layers(3, 11, 9, CONV(20, 3, 1, 1, linear) ACTIVATION(relu), 2);
    check_layers(3, 11, 9, CONV(20, 3, 1, 1, linear) ACTIVATION(leaky) CONV(9, 1, 1, 0, linear), 3);
    check_layers(3, 11, 9, CONV(20, 3, 1, 1, linear) ACTIVATION(logistic), 1);
    check_layers(3, 11, 9, ACTIVATION(relu) CONV(20, 3, 1, 1, linear), 1);
}

/* The activation normalizes on its way, unless another layer reads the normalization. */
static void test_batchnorm_and_activation(void **state) {
    (void)state;
    check_layers(3, 11, 9, UNBIASED(20, 3, 1, 1) BATCHNORM_ALONE ACTIVATION(relu), 3);
    check_layers(20, 11, 9, BATCHNORM_ALONE ACTIVATION(leaky) CONV(16, 3, 1, 1, linear), 3);
    check_layers(3, 11, 9, /* the activation's gradient comes in two parts */
                 UNBIASED(16, 3, 1, 1) BATCHNORM_ALONE ACTIVATION(relu)
                     CONV(16, 3, 1, 1, linear) "[shortcut]\nfrom=-2\nactivation=linear\n",
                 5);
    check_layers(3, 11, 9, /* a shortcut reads the normalization */
                 UNBIASED(16, 3, 1, 1) BATCHNORM_ALONE ACTIVATION(leaky)
                     CONV(16, 3, 1, 1, linear) "[shortcut]\nfrom=-3\nactivation=linear\n",
                 5);
    check_layers(3, 11, 9, /* a route does, which is the host's */
                 UNBIASED(16, 3, 1, 1) BATCHNORM_ALONE ACTIVATION(relu)
                     UNBIASED(20, 3, 1, 1) "[route]\nlayers=-1,1\n" BATCHNORM_ALONE ACTIVATION(relu)
                         CONV(5, 1, 1, 0, linear),
                 7);
}

/* As in a residual network with normalization first: the sum goes round two of these. */
static void test_preactivation(void **state) {
    (void)state;
    check_layers(3, 12, 12,
                 UNBIASED(16, 3, 1, 1) BATCHNORM_ALONE ACTIVATION(relu) UNBIASED(16, 3, 1, 1)
                     BATCHNORM_ALONE ACTIVATION(relu) UNBIASED(
                         16, 3, 1, 1) "[shortcut]\nfrom=-7\nactivation=linear\n" BATCHNORM_ALONE
                         ACTIVATION(relu) "[avgpool]\n",
                 11);
}

/* Other layers than convolutions before a shortcut with an activation. */
static void test_shortcut_after_a_pool(void **state) {
    (void)state;
    check_layers(3, 12, 12,
                 CONV(16, 3, 1, 1, leaky) "[maxpool]\nsize=3\nstride=1\n"
                                          "[shortcut]\nfrom=-2\nactivation=relu\n",
                 3);
    check_layers(3, 12, 12,
                 CONV(16, 3, 1, 1, linear) BATCHNORM_ALONE
                 "[shortcut]\nfrom=-2\nactivation=leaky\n" ACTIVATION(
                     relu) "[shortcut]\nfrom=-2\nactivation=relu\n",
                 5);
}

static void test_avgpool_of_windows(void **state) {
    (void)state;
    check_layers(3, 12, 12, CONV(20, 3, 1, 1, leaky) "[avgpool]\nsize=2\nstride=2\n", 2);
    check_layers(3, 13, 11, CONV(16, 3, 1, 1, leaky) "[avgpool]\nsize=3\nstride=2\n", 2);
    check_layers(3, 13, 11,
                 CONV(16, 3, 1, 1,
                      leaky) "[avgpool]\nsize=3\nstride=1\npadding=2\n" CONV(9, 1, 1, 0, linear),
                 3);
    check_layers(3, 12, 12, "[avgpool]\nsize=2\nstride=2\n" CONV(20, 3, 1, 1, leaky), 1);
    check_layers(3, 12, 12, /* its gradient comes in two parts */
                 CONV(16, 3, 1, 1, leaky) "[avgpool]\nsize=2\nstride=2\n" CONV(
                     16, 3, 1, 1, linear) "[shortcut]\nfrom=-2\nactivation=linear\n",
                 4);
}

/* Nothing to compare where the build has ONEDNN=0, or the library no code for this processor. */
static int is_built_in(void) {
    char *text = cfg(1, 1, 16, 8, 8, CONV(16, 3, 1, 1, relu));
    network *net = parse_network_text(text);
    int taken = net->layers[0].cpu != NULL;
    free_network(net);
    free(text);
    return taken;
}

int main(void) {
    if (!is_built_in()) {
        puts("1..0 # SKIP the layers run on the host's own code in this build");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_wide_convolution),
        cmocka_unit_test(test_normalized_convolution),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_shortcut),
        cmocka_unit_test(test_shortcut_of_another_shape),
        cmocka_unit_test(test_shortcut_with_factors_is_the_hosts),
        cmocka_unit_test(test_shortcut_over_1x1),
        cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_maxpool_of_equals),
        cmocka_unit_test(test_avgpool),
        cmocka_unit_test(test_avgpool_of_windows),
        cmocka_unit_test(test_pointwise_with_a_stride),
        cmocka_unit_test(test_convolution_without_bias),
        cmocka_unit_test(test_batchnorm),
        cmocka_unit_test(test_activation),
        cmocka_unit_test(test_batchnorm_and_activation),
        cmocka_unit_test(test_preactivation),
        cmocka_unit_test(test_shortcut_after_a_pool),
        cmocka_unit_test(test_host_layers_between),
        cmocka_unit_test(test_another_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
