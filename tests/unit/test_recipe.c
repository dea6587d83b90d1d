/* recipe: what the keys do inside the host. Normalised inputs, the printed loss of soft labels, and
 * trainings that do not know of the keys. */
#include "recipe.h"

#include <math.h>

#include "random_stream.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "blas.h"
#include "network.h"
#pragma GCC diagnostic pop

#include "expect_fail.h"
#include "temporary_file.h"

enum { SIDE = 4, PLANE = SIDE * SIDE, INPUTS = 3 * PLANE, BATCH = 3, CLASSES = 3 };
static const float MEAN[3] = {.5f, .4f, .3f}, STD[3] = {.25f, .2f, .1f};

static void write_cfg(const char *keys) {
    FILE *cfg = fopen(file, "w");
    assert_non_null(cfg);
    fprintf(cfg,
            "[net]\nbatch=%d\nwidth=%d\nheight=%d\nchannels=3\nlearning_rate=.1\n%s\n"
            "[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\n"
            "activation=leaky\n[connected]\noutput=%d\nactivation=linear\n[softmax]\ngroups=1\n",
            BATCH, SIDE, SIDE, keys, CLASSES);
    assert_int_equal(fclose(cfg), 0);
}

/* The same start for the same layers. */
static network *parse(const char *keys) {
    write_cfg(keys);
    srand(3);
    return parse_network_cfg(file);
}

static const char normalised[] = "mean=.5,.4,.3\nstd=.25,.2,.1";

static void draw_inputs(float *inputs) {
    random_stream stream = {9};
    for (int i = 0; i < BATCH * INPUTS; i++)
        inputs[i] = random_uniform(&stream, 0, 1);
}

/* ---- mean and std ---- */

static void check_prediction(network *with, network *without, const float *inputs) {
    float kept[BATCH * INPUTS], by_hand[BATCH * INPUTS];
    memcpy(kept, inputs, sizeof kept);
    for (int i = 0; i < BATCH * INPUTS; i++) {
        int c = i / PLANE % 3;
        by_hand[i] = (inputs[i] - MEAN[c]) / STD[c];
    }
    float *expected = network_predict(without, by_hand);
    float *got = network_predict(with, kept);
    for (int k = 0; k < with->batch * CLASSES; k++)
        assert_float_equal(got[k], expected[k], 1e-6f);
    assert_memory_equal(kept, inputs, sizeof kept);
}

static void inference_sees_normalised_images(void **state) {
    (void)state;
    float inputs[BATCH * INPUTS];
    network *with = parse(normalised), *without = parse("");
    draw_inputs(inputs);
    check_prediction(with, without, inputs);
    set_batch_network(with, 1);
    set_batch_network(without, 1);
    check_prediction(with, without, inputs);
    set_batch_network(with, BATCH);
    set_batch_network(without, BATCH);
    check_prediction(with, without, inputs);
    free_network(with);
    free_network(without);
}

/* The comparison can fail. */
static void normalised_images_give_other_predictions(void **state) {
    (void)state;
    float inputs[BATCH * INPUTS], plain[CLASSES];
    network *with = parse(normalised), *without = parse("");
    draw_inputs(inputs);
    memcpy(plain, network_predict(without, inputs), sizeof plain);
    assert_true(fabsf(network_predict(with, inputs)[0] - plain[0]) > 1e-3f);
    free_network(with);
    free_network(without);
}

static void without_the_keys_the_input_is_the_callers(void **state) {
    (void)state;
    float inputs[BATCH * INPUTS];
    network *plain = parse(""), *others = parse("nesterov=1\ncutout=2");
    assert_ptr_equal(normalised_input(plain, inputs), inputs);
    assert_ptr_equal(normalised_input(others, inputs), inputs);
    free_network(plain);
    free_network(others);
}

static void the_way_back_is_the_image_again(void **state) {
    (void)state;
    float inputs[BATCH * INPUTS], row[INPUTS];
    channel_statistics statistics;
    memcpy(statistics.mean, MEAN, sizeof MEAN);
    memcpy(statistics.std, STD, sizeof STD);
    draw_inputs(inputs);
    normalise_planes(&statistics, PLANE, inputs, row);
    denormalise_planes(&statistics, PLANE, row);
    for (int i = 0; i < INPUTS; i++)
        assert_float_equal(row[i], inputs[i], 1e-6f);
}

/* ---- soft labels ---- */

static void the_hosts_loss_is_the_cross_entropy_of_soft_labels(void **state) {
    (void)state;
    float p[4] = {.5f, .25f, .125f, .125f}, t[4] = {.75f, .1f, 0, .15f}, delta[4], loss[4];
    softmax_x_ent_cpu(4, p, t, delta, loss);
    for (int k = 0; k < 4; k++) {
        assert_float_equal(loss[k], -t[k] * logf(p[k]), 1e-6f);
        assert_true(delta[k] == t[k] - p[k]);
    }
}

static void the_hosts_loss_of_hard_labels_is_as_it_was(void **state) {
    (void)state;
    for (int i = 1; i <= 1000; i++) {
        float p[2] = {(float)i / 1000, 1 - (float)i / 1000}, t[2] = {1, 0}, delta[2], loss[2];
        softmax_x_ent_cpu(2, p, t, delta, loss);
        assert_true(loss[0] == (float)-log(p[0]) && loss[1] == 0);
    }
}

/* ---- who may train ---- */

static void train_without_knowing(void *keys) {
    network *net = parse(keys);
    train_network_datum(net);
}

static void only_a_training_that_knows_the_keys_may_train(void **state) {
    (void)state;
    char sentence[128];
    static char *const keys[] = {"nesterov=1", "flip=0", "mixup=.2", "pad_crop=4"};
    for (int i = 0; i < 4; i++) {
        write_cfg(keys[i]);
        snprintf(sentence, sizeof sentence, "[net] %s is known to `classifier train` alone",
                 keys[i]);
        int status;
        char *said = expect_fail_said(train_without_knowing, keys[i], &status);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        assert_non_null(strstr(said, sentence));
        free(said);
    }
    network *net = parse("nesterov=1\nlabel_smoothing=.1");
    allow_recipe_training(net);
    train_network_datum(net);
    free_network(net);
    net = parse("");
    train_network_datum(net);
    free_network(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference_sees_normalised_images),
        cmocka_unit_test(normalised_images_give_other_predictions),
        cmocka_unit_test(without_the_keys_the_input_is_the_callers),
        cmocka_unit_test(the_way_back_is_the_image_again),
        cmocka_unit_test(the_hosts_loss_is_the_cross_entropy_of_soft_labels),
        cmocka_unit_test(the_hosts_loss_of_hard_labels_is_as_it_was),
        cmocka_unit_test(only_a_training_that_knows_the_keys_may_train),
    };
    return cmocka_run_group_tests_name("recipe", tests, make_file, remove_file);
}
