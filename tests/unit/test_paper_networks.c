/* Each network of cfg/paper against the same one in PyTorch: one image, one set of parameters, the
 * logits. Image and parameters are drawn here and by tests/networks/make_expected.py from the same
 * random streams; the parameters reach the network through a .weights file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_text.h"
#include "network.h"
#include "parser.h"
#include "random_stream.h"
#include "scratch.h"

enum { SEED = 1, MOST_CLASSES = 1000 };
static const uint64_t IMAGE_LAYER = (uint64_t)1 << 32;
typedef enum { BIASES, SCALES, MEANS, VARIANCES, WEIGHTS } kind;

/* The host adds 1e-6 to the standard deviation, PyTorch 1e-5 to the variance; over the 108
 * convolutions of ResNet-110 that makes a ten-thousandth. */
static const double RELATIVE = 1e-3;

/* ---- what PyTorch gave ---- */

typedef struct {
    int classes;
    float gain;
    double logits[MOST_CLASSES];
} expectation;

static expectation read_expectation(const char *name) {
    char path[256];
    int version = 0;
    expectation e = {0};
    snprintf(path, sizeof path, "tests/networks/expected/%s.txt", name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    if (fscanf(file, "dlb-network %d classes %d gain %f logits", &version, &e.classes, &e.gain) !=
            3 ||
        version != 1 || e.classes < 1 || e.classes > MOST_CLASSES)
        fail_msg("%s is not version 1; make it again with tests/networks/make_expected.py "
                 "tests/networks/expected",
                 path);
    for (int i = 0; i < e.classes; i++)
        if (fscanf(file, "%lf", &e.logits[i]) != 1)
            fail_msg("%s has %d logits instead of %d", path, i, e.classes);
    fclose(file);
    return e;
}

/* ---- the parameters ---- */

static void write_values(FILE *file, uint64_t layer, kind which, int count, float low, float high) {
    random_stream stream = random_stream_of(SEED, layer, which);
    for (int i = 0; i < count; i++) {
        float value = random_uniform(&stream, low, high);
        assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
    }
}

/* Uniform, with a variance of 2 / inputs. */
static void write_weights(FILE *file, uint64_t layer, int count, int inputs) {
    float bound = (float)sqrt(6. / inputs);
    write_values(file, layer, WEIGHTS, count, -bound, bound);
}

static void write_zeros(FILE *file, int count) {
    const float zero = 0;
    for (int i = 0; i < count; i++)
        assert_int_equal(fwrite(&zero, sizeof zero, 1, file), 1);
}

static void write_normalization(FILE *file, uint64_t layer, int channels, float gain) {
    write_values(file, layer, BIASES, channels, -.2f, .2f);
    write_values(file, layer, SCALES, channels, .5f * gain, 1.5f * gain);
    write_values(file, layer, MEANS, channels, -.2f, .2f);
    write_values(file, layer, VARIANCES, channels, .5f, 1.5f);
}

/* Returns whether the layer has parameters. */
static int write_layer(FILE *file, const layer *l, uint64_t number, float gain) {
    switch (l->type) {
    case CONVOLUTIONAL:
        if (l->batch_normalize)
            write_normalization(file, number, l->n, gain);
        else
            write_zeros(file, l->n); /* bias=0 */
        write_weights(file, number, l->nweights, l->nweights / l->n);
        return 1;
    case BATCHNORM:
        write_normalization(file, number, l->out_c, gain);
        return 1;
    case CONNECTED:
        write_values(file, number, BIASES, l->outputs, -.2f, .2f);
        write_weights(file, number, l->inputs * l->outputs, l->inputs);
        return 1;
    default:
        return 0;
    }
}

static void write_weights_file(const char *path, const network *net, float gain) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    const int version[3] = {0, 2, 0};
    const size_t seen = 0;
    assert_int_equal(fwrite(version, sizeof version, 1, file), 1);
    assert_int_equal(fwrite(&seen, sizeof seen, 1, file), 1);
    uint64_t number = 0;
    for (int i = 0; i < net->n; i++)
        number += (uint64_t)write_layer(file, &net->layers[i], number, gain);
    assert_int_equal(fclose(file), 0);
}

/* ---- the network ---- */

/* The cfg as it is committed, but for one image at a time. */
static network *parse_paper_network(const char *name, int classes) {
    char path[256];
    snprintf(path, sizeof path, "cfg/paper/%s-%d.cfg", name, classes);
    cfg_text cfg = read_cfg_text(path);
    set_cfg_value(&cfg, "net", "batch", "1");
    snprintf(path, sizeof path, "%s", scratch("one.cfg"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    print_cfg_text(&cfg, file);
    assert_int_equal(fclose(file), 0);
    free_cfg_text(&cfg);
    return parse_network_cfg(path);
}

static void predict_image(network *net) {
    random_stream stream = random_stream_of(SEED, IMAGE_LAYER, 0);
    float *image = calloc((size_t)net->inputs, sizeof *image);
    for (int i = 0; i < net->inputs; i++)
        image[i] = random_uniform(&stream, 0, 1);
    network_predict(net, image);
    free(image);
}

static double largest(const expectation *e) {
    double most = 0;
    for (int i = 0; i < e->classes; i++)
        most = fmax(most, fabs(e->logits[i]));
    return most;
}

static void compare_logits(const float *logits, const expectation *e) {
    double allowed = RELATIVE * largest(e);
    for (int i = 0; i < e->classes; i++)
        if (!(fabs(logits[i] - e->logits[i]) <= allowed))
            fail_msg("logit %d is %.9g, but PyTorch has %.9g; %.3g more or less are allowed", i,
                     logits[i], e->logits[i], allowed);
}

static void check_network(const char *name) {
    expectation e = read_expectation(name);
    network *net = parse_paper_network(name, e.classes);
    const char *weights = scratch("drawn.weights");
    write_weights_file(weights, net, e.gain);
    load_weights(net, (char *)weights);
    predict_image(net);
    const layer *logits = &net->layers[net->n - 2]; /* before [softmax] */
    assert_int_equal(logits->outputs, e.classes);
    compare_logits(logits->output, &e);
    free_network(net);
}

static void vgg16(void **state) {
    (void)state;
    check_network("vgg16");
}

static void vgg19(void **state) {
    (void)state;
    check_network("vgg19");
}

static void resnet32(void **state) {
    (void)state;
    check_network("resnet32");
}

static void resnet110(void **state) {
    (void)state;
    check_network("resnet110");
}

static void wrn20_8(void **state) {
    (void)state;
    check_network("wrn20-8");
}

static void densenet40_12(void **state) {
    (void)state;
    check_network("densenet40-12");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vgg16),     cmocka_unit_test(vgg19),   cmocka_unit_test(resnet32),
        cmocka_unit_test(resnet110), cmocka_unit_test(wrn20_8), cmocka_unit_test(densenet40_12),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
