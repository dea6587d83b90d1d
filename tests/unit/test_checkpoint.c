/* checkpoint: weights and state are of one moment after an interruption at any step, and come back
 * into a network with every array. host_random: what is drawn goes on. */
#include "small_network.h"

#include "checkpoint.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "host_random.h"
#include "layer_arrays.h"
#include "logit_ring.h"
#include "train_state.h"

#include "scratch.h"

static const char cfg[] = "[net]\nbatch=4\nwidth=4\nheight=4\nchannels=3\nlearning_rate=.1\n"
                          "[convolutional]\nfilters=2\nsize=3\npad=1\nactivation=leaky\n"
                          "batch_normalize=1\n[batchnorm]\n[local]\nfilters=1\nsize=1\n"
                          "[connected]\noutput=3\nactivation=linear\n[softmax]\n[dlb_cost]\n";

static network *prepare_network(void) {
    network *net = parse_network_text(cfg);
    prepare_dlb_cost_training(find_dlb_cost_layer(net), net, "x.cfg");
    return net;
}

/* ---- files ---- */

static checkpoint make_checkpoint(void) {
    return checkpoint_of(scratch_folder, "x");
}

/* The state is a number; so is the first bias, for the weights. */
static void put_number(state_writer *w, void *context) {
    put_state(w, "number", context, sizeof(int));
}

static void save_number(checkpoint *c, network *net, int number) {
    net->layers[0].biases[0] = (float)number;
    assert_null(write_checkpoint(c, net, put_number, &number));
}

static float saved_bias(const checkpoint *c) {
    float bias;
    FILE *file = fopen(c->weights, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 20, SEEK_SET), 0);
    assert_int_equal(fread(&bias, sizeof bias, 1, file), 1);
    fclose(file);
    return bias;
}

/* What a new process finds; -1: nothing. Both files have the same number. */
static int find_number(void) {
    int number = -1;
    checkpoint c = make_checkpoint();
    state_file *f = find_checkpoint(&c);
    if (f) {
        get_state(f, "number", &number, sizeof number);
        assert_true(saved_bias(&c) == (float)number);
        assert_int_equal(access(c.state, F_OK), 0);
    }
    state_file_free(f);
    free_checkpoint(&c);
    return number;
}

static void copy(const char *from, const char *to) {
    damage(strrchr(from, '/') + 1, strrchr(to, '/') + 1, 0, 0);
}

static void the_last_checkpoint_is_found(void **state) {
    (void)state;
    network *net = prepare_network();
    checkpoint c = make_checkpoint();
    assert_false(has_checkpoint(&c));
    assert_int_equal(find_number(), -1);
    for (int i = 1; i <= 3; i++) {
        save_number(&c, net, i);
        assert_int_equal(find_number(), i);
    }
    assert_true(has_checkpoint(&c));
    forget_checkpoint(&c);
    assert_int_equal(find_number(), -1);
    assert_int_equal(access(c.weights, F_OK), 0);
    free_checkpoint(&c);
    free_network(net);
}

/* What lies in the folder after each step of a second save. */
static void an_interruption_at_any_step_leaves_one_of_the_two(void **state) {
    (void)state;
    static const int expected[] = {1, 1, 1, 2, 2, 2};
    network *net = prepare_network();
    checkpoint c = make_checkpoint();
    for (size_t step = 0; step < sizeof expected / sizeof *expected; step++) {
        char *first_weights = format_string("%s/first.backup", scratch_folder);
        char *first_state = format_string("%s/first.state", scratch_folder);
        save_number(&c, net, 1);
        copy(c.weights, first_weights);
        copy(c.state, first_state);
        save_number(&c, net, 2);
        if (step == 0) { /* half of the weights */
            damage("x.backup", "x.backup.new", 20, 0);
            rename(first_weights, c.weights);
            rename(first_state, c.state);
        } else if (step == 1) { /* the weights */
            rename(c.weights, c.new_weights);
            rename(first_weights, c.weights);
            rename(first_state, c.state);
        } else if (step == 2) { /* and half of the state */
            damage("x.state", "x.state.new", 20, 0);
            rename(c.weights, c.new_weights);
            rename(first_weights, c.weights);
            rename(first_state, c.state);
        } else if (step == 3) { /* and all of it */
            rename(c.state, c.new_state);
            rename(c.weights, c.new_weights);
            rename(first_weights, c.weights);
            rename(first_state, c.state);
        } else if (step == 4) { /* and the weights renamed */
            rename(c.state, c.new_state);
            rename(first_state, c.state);
        }
        assert_int_equal(find_number(), expected[step]);
        free(first_weights);
        free(first_state);
        empty_scratch(state);
    }
    free_checkpoint(&c);
    free_network(net);
}

static void find_any(void *context) {
    (void)context;
    find_number();
}

static void a_state_without_its_weights_is_refused(void **state) {
    (void)state;
    network *net = prepare_network();
    checkpoint c = make_checkpoint();
    save_number(&c, net, 1);
    damage("x.backup", "x.backup", 0, 1);
    expect_fail(find_any, NULL, "x.state belongs to other weights than ");
    save_number(&c, net, 1);
    damage("x.state", "x.state", 0, 1);
    expect_fail(find_any, NULL, "x.state is damaged: its checksum does not fit; -resume=weights");
    empty_scratch(state);
    free_checkpoint(&c);
    free_network(net);
}

/* A folder in the place of one of the files. */
static void a_failed_save_leaves_the_one_before(void **state) {
    (void)state;
    static const char *const obstacles[] = {"x.backup.new", "x.state.new"};
    network *net = prepare_network();
    checkpoint c = make_checkpoint();
    save_number(&c, net, 1);
    for (int i = 0; i < 2; i++) {
        int number = 2;
        mkdir(scratch(obstacles[i]), 0777);
        net->layers[0].biases[0] = 2;
        char *error = write_checkpoint(&c, net, put_number, &number);
        assert_non_null(strstr(error, obstacles[i]));
        free(error);
        rmdir(scratch(obstacles[i]));
        assert_int_equal(find_number(), 1);
    }
    save_number(&c, net, 3);
    assert_int_equal(find_number(), 3);
    empty_scratch(state);
    free_checkpoint(&c);
    free_network(net);
}

/* The weights are the new ones already; the state that fits them must not be lost by another try.
 */
static void a_state_that_could_not_be_renamed_is_kept(void **state) {
    (void)state;
    network *net = prepare_network();
    checkpoint c = make_checkpoint();
    int number = 2;
    save_number(&c, net, 1);
    unlink(c.state);
    mkdir(c.state, 0777);
    net->layers[0].biases[0] = 2;
    for (int i = 0; i < 2; i++) {
        char *error = write_checkpoint(&c, net, put_number, &number);
        assert_non_null(error);
        free(error);
        number = 3;
        net->layers[0].biases[0] = 3;
    }
    rmdir(c.state);
    assert_int_equal(find_number(), 2);
    empty_scratch(state);
    free_checkpoint(&c);
    free_network(net);
}

/* ---- what is kept ---- */

/* Those that an update moves. */
static int arrays_of(network *net, layer_array *arrays) {
    layer_array all[MOST_LAYER_ARRAYS];
    int count = 0;
    for (int i = 0; i < net->n; i++) {
        int of_layer = list_layer_arrays(&net->layers[i], all);
        for (int k = 0; k < of_layer; k++)
            if (all[k].updates)
                arrays[count++] = all[k];
    }
    return count;
}

static void train_state_comes_back(void **state) {
    (void)state;
    enum { MOST = 30 };
    network *net = prepare_network(), *other = prepare_network();
    layer_array arrays[MOST], others[MOST];
    int count = arrays_of(net, arrays);
    fingerprint none = {0};
    assert_int_equal(count, 3 + 2 + 2 + 2); /* [convolutional], [batchnorm], [local], [connected] */
    for (int i = 0; i < count; i++)
        draw_floats(arrays[i].updates, (int)arrays[i].count);
    logit_ring_contents ring = logit_ring_all(dlb_cost_ring(find_dlb_cost_layer(net)));
    assert_int_equal(ring.rows * ring.classes, 2 * 3);
    draw_floats(ring.logits, 6);
    ring.ids[0] = 12;
    seed_host_random(4);
    train_state s = {.net = net,
                     .ring = ring,
                     .progress = {.images = 44, .updates = 11, .iterations = 9},
                     .print = &none,
                     .circumstances = &none};
    assert_null(write_state_file(scratch("x.state"), put_train_state, &s));
    int expected = rand();

    char *error;
    seed_host_random(5);
    state_file *f = read_state_file(scratch("x.state"), &error);
    assert_int_equal(get_train_progress(f).iterations, 9);
    restore_train_state(f, other, find_dlb_cost_layer(other));
    state_file_free(f);
    assert_int_equal(rand(), expected);
    assert_int_equal(*other->seen, 44);
    assert_int_equal(*other->t, 11);
    assert_int_equal(arrays_of(other, others), count);
    for (int i = 0; i < count; i++)
        assert_memory_equal(others[i].updates, arrays[i].updates,
                            arrays[i].count * sizeof *arrays[i].updates);
    logit_ring_contents copy = logit_ring_all(dlb_cost_ring(find_dlb_cost_layer(other)));
    assert_memory_equal(copy.logits, ring.logits, 6 * sizeof *ring.logits);
    assert_memory_equal(copy.ids, ring.ids, 2 * sizeof *ring.ids);
    free_network(net);
    free_network(other);
}

static void layers_without_known_state_are_found(void **state) {
    (void)state;
    network *net = prepare_network();
    assert_int_equal(find_layer_without_state(net), -1);
    net->layers[1].dontsave = 1;
    assert_int_equal(find_layer_without_state(net), 1);
    free_network(net);
    net = parse_network_text("[net]\nbatch=2\ninputs=4\n[connected]\noutput=3\n[rnn]\noutput=2\n");
    assert_int_equal(find_layer_without_state(net), 1);
    free_network(net);
}

static void random_numbers_are_those_of_srand(void **state) {
    (void)state;
    int expected[100], drawn[100];
    srand(77);
    for (int i = 0; i < 100; i++)
        expected[i] = rand();
    for (int left_off = 0; left_off < 100; left_off++) {
        seed_host_random(77);
        for (int i = 0; i < left_off; i++)
            drawn[i] = rand();
        host_random there = host_random_now();
        rand();
        seed_host_random(1);
        set_host_random(&there);
        for (int i = left_off; i < 100; i++)
            drawn[i] = rand();
        assert_memory_equal(drawn, expected, sizeof drawn);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_checkpoint_is_found),
        cmocka_unit_test(an_interruption_at_any_step_leaves_one_of_the_two),
        cmocka_unit_test(a_state_without_its_weights_is_refused),
        cmocka_unit_test(a_failed_save_leaves_the_one_before),
        cmocka_unit_test(a_state_that_could_not_be_renamed_is_kept),
        cmocka_unit_test(random_numbers_are_those_of_srand),
        cmocka_unit_test(train_state_comes_back),
        cmocka_unit_test(layers_without_known_state_are_found),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, make_scratch, remove_scratch);
}
