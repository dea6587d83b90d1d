#include "cfg_references.h"

#include "activations.h"
#include "fail.h"
#include "option_list.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef enum { WHOLE, DECIMAL } number_kind;

/* A picture, or what takes its place. */
typedef struct {
    int width, height, channels;
} picture;

/* ---- values ---- */

/* The text of a key; ends the program where it is not there. */
static const char *require(const cfg_section *s, char *key) {
    const char *text = option_find(s->options, key);
    if (!text)
        fail("%s: %s: %s is missing", s->cfg_file, s->name, key);
    return text;
}

static int whole_value(const cfg_section *s, char *key, int otherwise) {
    return option_find_int_quiet(s->options, key, otherwise);
}

/* How many numbers with commas between them; ends the program where one is missing, or is not of
 * its kind. */
static int count_numbers(const cfg_section *s, const char *key, const char *text,
                         number_kind kind) {
    int count = 0;
    for (const char *at = text; at; at = next_place(at)) {
        char *after;
        if (kind == WHOLE)
            strtol(at, &after, 10);
        else
            strtod(at, &after);
        if (after == at)
            fail("%s: %s: %s=%s: a number is missing in place %d", s->cfg_file, s->name, key, text,
                 count + 1);
        if (*after && *after != ',')
            fail("%s: %s: %s=%s: no %snumber stands in place %d", s->cfg_file, s->name, key, text,
                 kind == WHOLE ? "whole " : "", count + 1);
        count++;
    }
    return count;
}

/* ---- names ---- */

static _Noreturn void fail_name(const cfg_section *s, const char *key, const char *text,
                                const char *known) {
    fail("%s: %s: %s=%s is none of %s", s->cfg_file, s->name, key, text, known);
}

/* The host takes ReLU for what it does not know. */
static void check_activation(const cfg_section *s) {
    const char *text = option_find(s->options, "activation");
    char *known = format_string("%s", "");
    bool found = !text;
    for (int a = LOGISTIC; a <= SELU && !found; a++) {
        const char *name = get_activation_string((ACTIVATION)a);
        char *longer = format_string("%s%s%s", known, *known ? ", " : "", name);
        free(known);
        known = longer;
        found = !strcmp(text, name);
    }
    if (!found)
        fail_name(s, "activation", text, known);
    free(known);
}

/* The host takes a constant rate for what it does not know. */
static void check_policy(const cfg_section *s, const char *policy) {
    static const char *const POLICIES[] = {"constant", "step",    "steps", "poly",
                                           "exp",      "sigmoid", "random"};
    for (size_t i = 0; i < sizeof POLICIES / sizeof *POLICIES; i++)
        if (!strcmp(policy, POLICIES[i]))
            return;
    fail_name(s, "policy", policy, "constant, step, steps, poly, exp, sigmoid, random");
}

/* ---- [net] ---- */

static void check_steps(const cfg_section *s) {
    const char *steps = require(s, "steps"), *scales = require(s, "scales");
    int step_count = count_numbers(s, "steps", steps, WHOLE);
    int scale_count = count_numbers(s, "scales", scales, DECIMAL);
    if (step_count != scale_count)
        fail("%s: %s: steps=%s has %d numbers, but scales=%s has %d", s->cfg_file, s->name, steps,
             step_count, scales, scale_count);
}

void check_net_references(const cfg_section *s) {
    const char *policy = option_find(s->options, "policy");
    int width = whole_value(s, "width", 0), height = whole_value(s, "height", 0);
    int channels = whole_value(s, "channels", 0);
    double values = (double)width * height * channels; /* beyond an int, too */
    if (values <= 0 && whole_value(s, "inputs", 0) <= 0)
        fail("%s: [net] has neither inputs nor width, height and channels", s->cfg_file);
    if (values > 0 && option_find(s->options, "inputs") && values != whole_value(s, "inputs", 0))
        fail("%s: [net]: inputs=%d, but width=%d, height=%d, channels=%d make %.0f", s->cfg_file,
             whole_value(s, "inputs", 0), width, height, channels, values);
    if (policy)
        check_policy(s, policy);
    if (policy && !strcmp(policy, "steps"))
        check_steps(s);
    if (policy && !strcmp(policy, "step") && whole_value(s, "step", 1) < 1)
        fail("%s: [net]: policy=step with step=%d, but at least 1 is needed", s->cfg_file,
             whole_value(s, "step", 1));
}

/* ---- layers above ---- */

/* As layer_above(); ends the program where there is no such layer. */
static int require_layer_above(const cfg_section *s, const char *key, const char *text,
                               const char *number) {
    int index = layer_above(s, number);
    if (!s->place.index)
        fail("%s: %s: %s=%s, but no layer is above it", s->cfg_file, s->name, key, text);
    if (index < 0)
        fail("%s: %s: %s=%s: %ld is not a layer above it, 0 to %d or -%d to -1", s->cfg_file,
             s->name, key, text, strtol(number, NULL, 10), s->place.index - 1, s->place.index);
    return index;
}

static bool is_picture(picture p) {
    return p.width > 0 && p.height > 0 && p.channels > 0;
}

/* The host adds every n-th pixel of the one to the other, with the same n for rows and columns. */
static bool fit(picture from, picture to) {
    return is_picture(from) && is_picture(to) && from.width / to.width == from.height / to.height &&
           to.width / from.width == to.height / from.height;
}

static void check_shortcut(const cfg_section *s) {
    const char *text = require(s, "from");
    int count = count_numbers(s, "from", text, WHOLE);
    if (count != 1)
        fail("%s: %s: from=%s has %d numbers, but one layer is added", s->cfg_file, s->name, text,
             count);
    const layer *l = &s->net->layers[require_layer_above(s, "from", text, text)];
    picture from = {l->out_w, l->out_h, l->out_c};
    picture to = {s->place.width, s->place.height, s->place.channels};
    if (!fit(from, to))
        fail("%s: %s: from=%s has %d x %d x %d values, which do not fit the %d x %d x %d of the "
             "layer above",
             s->cfg_file, s->name, text, from.width, from.height, from.channels, to.width,
             to.height, to.channels);
}

static void check_route(const cfg_section *s) {
    const char *text = require(s, "layers");
    count_numbers(s, "layers", text, WHOLE);
    for (const char *at = text; at; at = next_place(at))
        require_layer_above(s, "layers", text, at);
}

/* ---- what a layer gets ---- */

static void check_reorg(const cfg_section *s) {
    int stride = whole_value(s, "stride", 1);
    bool reverse = whole_value(s, "reverse", 0), flatten = whole_value(s, "flatten", 0);
    int64_t area = (int64_t)stride * stride;
    bool sides_fit = s->place.width % stride == 0 && s->place.height % stride == 0;
    bool channels_fit = s->place.channels % area == 0;
    if (whole_value(s, "extra", 0))
        return;
    if ((!reverse && !sides_fit) || ((reverse || !flatten) && !channels_fit))
        fail("%s: %s: stride=%d does not divide %d x %d x %d values", s->cfg_file, s->name, stride,
             s->place.width, s->place.height, s->place.channels);
}

/* Products are doubles, which do not overflow and are exact as far as an int goes. */
static void check_inputs(const cfg_section *s, double wanted) {
    if (wanted != s->place.inputs)
        fail("%s: %s: it needs %.0f inputs, but gets %d", s->cfg_file, s->name, wanted,
             s->place.inputs);
}

static double count_pixels(const cfg_section *s) {
    return (double)s->place.width * s->place.height;
}

static void check_detection(const cfg_section *s) {
    double side = whole_value(s, "side", 7), boxes = whole_value(s, "num", 1);
    double of_a_box = 1 + (double)whole_value(s, "coords", 1);
    check_inputs(s, side * side * (of_a_box * boxes + whole_value(s, "classes", 1)));
}

/* ---- boxes ---- */

/* Returns how many boxes of `num` the layer predicts. */
static int check_mask(const cfg_section *s, int boxes) {
    const char *text = option_find(s->options, "mask");
    if (!text)
        return boxes;
    int count = count_numbers(s, "mask", text, WHOLE);
    for (const char *at = text; at; at = next_place(at)) {
        long box = strtol(at, NULL, 10);
        if (box < 0 || box >= boxes)
            fail("%s: %s: mask=%s: %ld is none of num=%d boxes", s->cfg_file, s->name, text, box,
                 boxes);
    }
    return count;
}

static void check_boxes(const cfg_section *s, LAYER_TYPE type) {
    int boxes = whole_value(s, "num", 1);
    int predicted = type == YOLO ? check_mask(s, boxes) : boxes;
    double coords = type == YOLO ? 4 : whole_value(s, "coords", 4);
    const char *anchors = option_find(s->options, "anchors");
    int numbers = anchors ? count_numbers(s, "anchors", anchors, DECIMAL) : 0;
    if (numbers > 2 * (int64_t)boxes)
        fail("%s: %s: anchors=%s has %d numbers, but num=%d boxes have %" PRId64, s->cfg_file,
             s->name, anchors, numbers, boxes, 2 * (int64_t)boxes);
    check_inputs(s, count_pixels(s) * predicted * (whole_value(s, "classes", 20) + coords + 1));
}

/* ---- each type ---- */

/* The others do not read the key. */
static bool has_activation(LAYER_TYPE type) {
    switch (type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
    case LOCAL:
    case CONNECTED:
    case RNN:
    case CRNN:
    case SHORTCUT:
    case ACTIVE:
        return true;
    default:
        return false;
    }
}

void check_layer_references(const cfg_section *s, LAYER_TYPE type) {
    if (has_activation(type))
        check_activation(s);
    switch (type) {
    case SHORTCUT:
        return check_shortcut(s);
    case ROUTE:
        return check_route(s);
    case REORG:
        return check_reorg(s);
    case REGION:
    case YOLO:
        return check_boxes(s, type);
    case ISEG:
        return check_inputs(s, count_pixels(s) * ((double)whole_value(s, "classes", 20) +
                                                  whole_value(s, "ids", 32)));
    case DETECTION:
        return check_detection(s);
    case DROPOUT:
        if (!s->place.index)
            fail("%s: %s: no layer is above it", s->cfg_file, s->name);
        return;
    default:
        return;
    }
}

/* ---- trees ---- */

void check_layer_tree(const char *cfg_file, int index, const layer *l) {
    int classes = l->type == SOFTMAX ? l->inputs : l->classes;
    if (l->softmax_tree && l->softmax_tree->n != classes)
        fail("%s: layer %d: its tree has %d classes, but the layer %d", cfg_file, index,
             l->softmax_tree->n, classes);
}

void check_tree_parent(const char *tree_file, int index, int parent) {
    if (parent < -1 || parent >= index)
        fail("%s: line %d: its parent %d is neither -1 nor a line above it, which are counted from "
             "0",
             tree_file, index + 1, parent);
}

/* ---- the whole network ---- */

void check_has_output(const char *cfg_file, const network *net) {
    for (int i = 0; i < net->n; i++)
        if (net->layers[i].type != COST && net->layers[i].type != DLB_COST)
            return;
    fail("%s: no layer below [net] has an output", cfg_file);
}
