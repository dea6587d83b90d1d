/* Whether a network has changed since it was looked at last, and which networks' steps can be
 * graphs. */
#include "network_form.h"

#include "small_network.h"

#include "expect_fail.h"

#include "step_graph.h"

static const char CONVOLUTIONS[] =
    "[net]\nbatch=2\nsubdivisions=1\nwidth=64\nheight=64\nchannels=3\n"
    "[convolutional]\nbatch_normalize=1\nfilters=2\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[avgpool]\n[softmax]\n";

static network *parse(const char *text) {
    network *net = parse_network_text(text);
    give_layers_back(net);
    return net;
}

static void expect_one_change(network_form *form, const network *net) {
    assert_true(network_form_changes(form, net));
    assert_false(network_form_changes(form, net));
}

static void a_network_is_new_once(void **state) {
    (void)state;
    network_form *form = network_form_create();
    network *net = parse(CONVOLUTIONS), *other = parse(CONVOLUTIONS);
    expect_one_change(form, net);
    expect_one_change(form, other);
    expect_one_change(form, net);
    network_form_free(form);
    free_network(net);
    free_network(other);
}

static void training_and_validation_change_nothing(void **state) {
    (void)state;
    network_form *form = network_form_create();
    network *net = parse(CONVOLUTIONS);
    float *input = calloc((size_t)(net->batch * net->inputs), sizeof *input);
    expect_one_change(form, net);
    net->truth[0] = 1;
    train_network_datum(net);
    assert_false(network_form_changes(form, net));
    network_predict(net, input);
    assert_false(network_form_changes(form, net));
    network_form_free(form);
    free_network(net);
    free(input);
}

static void size_batch_and_places_count(void **state) {
    (void)state;
    network_form *form = network_form_create();
    network *net = parse(CONVOLUTIONS);
    expect_one_change(form, net);
    set_batch_network(net, 1);
    expect_one_change(form, net);
    set_batch_network(net, 2);
    expect_one_change(form, net);
    net->w = 32; /* what only the network says of itself is in no kernel */
    assert_false(network_form_changes(form, net));
    float *workspace = net->workspace;
    net->workspace = workspace + 1;
    expect_one_change(form, net);
    net->workspace = workspace;
    expect_one_change(form, net);
    net->layers[1].delta++;
    expect_one_change(form, net);
    net->layers[1].delta--;
    network_form_free(form);
    free_network(net);
}

/* ---- graphs ---- */

typedef struct {
    const network *net;
} checked;

static void check(void *c) {
    check_step_graph(((checked *)c)->net, "my.cfg");
}

static void refuse(const char *layers, const char *sentence) {
    char text[600], line[200];
    snprintf(text, sizeof text, "[net]\nbatch=2\nwidth=8\nheight=8\nchannels=3\n%s", layers);
    snprintf(line, sizeof line, "darknet: my.cfg: [net] cuda_graph=1 %s\n", sentence);
    checked c = {parse(text)};
    expect_fail(check, &c, line);
    free_network((network *)c.net);
}

static void what_no_graph_can_do_is_refused(void **state) {
    (void)state;
    refuse("[connected]\noutput=4\n[dropout]\n[softmax]\n",
           "does not go with layer 1, a [dropout]");
    refuse("[crop]\ncrop_width=6\ncrop_height=6\n[softmax]\n",
           "does not go with layer 0, a [crop]");
    refuse("[connected]\noutput=4\n[softmax]\n[connected]\noutput=4\n[softmax]\n",
           "needs a network whose loss is that of one [softmax]");
    refuse("[connected]\noutput=4\n", "needs a network whose loss is that of one [softmax]");
}

static void the_papers_kinds_of_layers_are_known(void **state) {
    (void)state;
    network *net = parse(CONVOLUTIONS);
    check_step_graph(net, "my.cfg");
    free_network(net);
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_is_new_once),
        cmocka_unit_test(training_and_validation_change_nothing),
        cmocka_unit_test(size_batch_and_places_count),
        cmocka_unit_test(what_no_graph_can_do_is_refused),
        cmocka_unit_test(the_papers_kinds_of_layers_are_known),
    };
    return cmocka_run_group_tests_name("network_form", tests, NULL, NULL);
}
