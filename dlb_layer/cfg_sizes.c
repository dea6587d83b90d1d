#include "cfg_sizes.h"

#include "fail.h"
#include "layer_arrays.h"
#include "memory_limit.h"
#include "number_text.h"
#include "option_list.h"
#include "shared_network.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

/* UINT64_MAX stands for all that is larger. */
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t squared(uint64_t a) {
    return times(a, a);
}

static uint64_t take(const cfg_section *s, char *key, int otherwise, int low) {
    const char *text = option_find(s->options, key);
    number_range range = {low, INT_MAX, .whole = true};
    double value = otherwise;
    if (text && !read_number_text(text, range, &value))
        fail("%s: %s: %s=%s is not a size from %d to %d", s->cfg_file, s->name, key, text, low,
             INT_MAX);
    return (uint64_t)value;
}

/* ---- limits ---- */

/* The pairs of the section that make its sizes, "filters=8, size=3"; the caller frees it. */
static char *describe_sizes(list *options) {
    static const char *const KEYS[] = {
        "filters",        "size",       "stride",   "padding", "groups",         "output",
        "width",          "height",     "channels", "inputs",  "batch",          "time_steps",
        "hidden_filters", "num",        "classes",  "coords",  "output_filters", "ids",
        "crop_height",    "crop_width", "side",     "extra"};
    char *text = format_string("%s", "");
    for (node *n = options->front; n; n = n->next) {
        const kvp *pair = n->val;
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
            if (!strcmp(pair->key, KEYS[i])) {
                char *longer = format_string("%s%s%s=%s", text, *text ? ", " : "", pair->key,
                                             pair->val ? pair->val : "");
                free(text);
                text = longer;
            }
    }
    return text;
}

static _Noreturn void refuse(const cfg_section *s, const char *what, uint64_t asked,
                             const char *unit, uint64_t most) {
    char *sizes = describe_sizes(s->options);
    fail("%s: %s%s%s: its %s are %s%" PRIu64 " %s, but %" PRIu64 " is the most here", s->cfg_file,
         s->name, *sizes ? " with " : "", sizes, what, asked == UINT64_MAX ? "more than " : "",
         asked, unit, most);
}

/* An array of so many floats. */
static void check_array(const cfg_section *s, const char *what, uint64_t values) {
    uint64_t limit = memory_limit(), bytes = times(values, sizeof(float));
    if (values > INT_MAX)
        refuse(s, what, values, "values", INT_MAX);
    if (bytes > limit)
        refuse(s, what, bytes, "bytes", limit);
}

static void check_outputs(const cfg_section *s, uint64_t outputs) {
    check_array(s, "outputs", outputs);
    check_array(s, "outputs of a micro-batch", times(outputs, (uint64_t)s->place.batch));
}

/* The weights take memory at once, because they are drawn. */
static void check_weights(const cfg_section *s, uint64_t weights) {
    uint64_t before = 0, limit = memory_limit();
    check_array(s, "weights", weights);
    for (int i = 0; i < s->place.index; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&s->net->layers[i], arrays);
        for (int k = 0; k < count; k++)
            before += arrays[k].count;
    }
    uint64_t bytes = times(plus(before, weights), sizeof(float));
    if (bytes > limit)
        refuse(s, "weights and those of the layers above", bytes, "bytes", limit);
}

/* ---- layers ---- */

/* How many windows fit, as the host counts them, into `length` with `padding` in all. */
static uint64_t windows(const cfg_section *s, int length, uint64_t padding, uint64_t size,
                        uint64_t stride) {
    uint64_t padded = plus((uint64_t)length, padding);
    if (padded > INT_MAX)
        refuse(s, "rows with padding", padded, "pixels", INT_MAX);
    if (padded < size)
        fail("%s: %s: size=%" PRIu64 " leaves no output of %" PRIu64 " pixels, padding included",
             s->cfg_file, s->name, size, padded);
    return (padded - size) / stride + 1;
}

/* pad=1 stands for half the size on each side. */
static uint64_t padding_on_a_side(const cfg_section *s, uint64_t size) {
    bool half = option_find_int_quiet(s->options, "pad", 0);
    return half ? size / 2 : take(s, "padding", 0, 0);
}

/* Each group takes as many channels, and makes as many filters, as the next. */
static void check_groups(const cfg_section *s, uint64_t groups, uint64_t filters) {
    if ((uint64_t)s->place.channels % groups || filters % groups)
        fail("%s: %s: groups=%" PRIu64 " does not divide both the %d channels above it and "
             "filters=%" PRIu64,
             s->cfg_file, s->name, groups, s->place.channels, filters);
}

static void check_convolution(const cfg_section *s) {
    layer_place p = s->place;
    uint64_t filters = take(s, "filters", 1, 1), size = take(s, "size", 1, 1);
    uint64_t stride = take(s, "stride", 1, 1), groups = take(s, "groups", 1, 1);
    check_groups(s, groups, filters);
    uint64_t padding = 2 * padding_on_a_side(s, size);
    uint64_t pixels = times(windows(s, p.height, padding, size, stride),
                            windows(s, p.width, padding, size, stride));
    uint64_t window = times(squared(size), (uint64_t)p.channels / groups);
    check_weights(s, times(window, filters));
    check_outputs(s, times(pixels, filters));
    check_array(s, "values of im2col", times(pixels, window));
}

static void check_deconvolution(const cfg_section *s) {
    layer_place p = s->place;
    uint64_t filters = take(s, "filters", 1, 1), size = take(s, "size", 1, 1);
    uint64_t stride = take(s, "stride", 1, 1);
    padding_on_a_side(s, size); /* makes less */
    uint64_t height = plus(times((uint64_t)p.height, stride), size);
    uint64_t width = plus(times((uint64_t)p.width, stride), size);
    check_weights(s, times(times(squared(size), (uint64_t)p.channels), filters));
    check_outputs(s, times(times(height, width), filters));
    check_array(s, "values of im2col",
                times(times((uint64_t)p.height * (uint64_t)p.width, squared(size)), filters));
}

static void check_local(const cfg_section *s) {
    layer_place p = s->place;
    uint64_t filters = take(s, "filters", 1, 1), size = take(s, "size", 1, 1);
    uint64_t stride = take(s, "stride", 1, 1);
    uint64_t padding = option_find_int_quiet(s->options, "pad", 0) ? size - 1 : 0;
    uint64_t pixels = times(windows(s, p.height, padding, size, stride),
                            windows(s, p.width, padding, size, stride));
    uint64_t window = times(squared(size), (uint64_t)p.channels);
    check_weights(s, times(times(window, filters), pixels));
    check_outputs(s, times(pixels, filters));
    check_array(s, "values of im2col", times(pixels, window));
}

static void check_matrices(const cfg_section *s, LAYER_TYPE type) {
    uint64_t outputs = take(s, "output", 1, 1);
    check_weights(s, times(outputs, (uint64_t)s->place.inputs));
    if (type != CONNECTED)
        check_weights(s, squared(outputs));
    check_outputs(s, outputs);
}

static void check_crnn(const cfg_section *s) {
    enum { KERNEL = 9 };
    uint64_t pixels = (uint64_t)s->place.height * (uint64_t)s->place.width;
    uint64_t counts[] = {(uint64_t)s->place.channels, take(s, "hidden_filters", 1, 1),
                         take(s, "output_filters", 1, 1)};
    for (int i = 0; i < 3; i++) {
        check_weights(s, times(KERNEL * counts[i], counts[1]));
        check_outputs(s, times(2 * counts[i], pixels));
        check_array(s, "values of im2col", times(KERNEL * counts[i], pixels));
    }
}

static void check_maxpool(const cfg_section *s) {
    uint64_t stride = take(s, "stride", 1, 1), size = take(s, "size", (int)stride, 1);
    uint64_t padding = take(s, "padding", (int)size - 1, 0);
    check_outputs(s, times(times(windows(s, s->place.height, padding, size, stride),
                                 windows(s, s->place.width, padding, size, stride)),
                           (uint64_t)s->place.channels));
}

/* Negative strides shrink the picture. */
static void check_upsample(const cfg_section *s) {
    int stride = option_find_int_quiet(s->options, "stride", 2);
    uint64_t factor = stride < 0 ? 1 : take(s, "stride", 2, 1);
    check_outputs(s, times((uint64_t)s->place.inputs, squared(factor)));
}

/* [region] has all of `num` boxes, [yolo] those of its mask. */
static void check_boxes(const cfg_section *s) {
    uint64_t values = plus(plus(take(s, "classes", 20, 0), take(s, "coords", 4, 0)), 1);
    uint64_t pixels = (uint64_t)s->place.height * (uint64_t)s->place.width;
    uint64_t boxes = take(s, "num", 1, 1), masked = 0;
    const char *mask = option_find(s->options, "mask");
    for (const char *at = mask; at; at = next_place(at))
        masked++;
    check_outputs(s, times(times(pixels, mask ? masked : boxes), values));
}

static void check_detection(const cfg_section *s) {
    uint64_t values = plus(plus(take(s, "classes", 1, 0), take(s, "coords", 1, 0)), 1);
    check_outputs(s, times(squared(take(s, "side", 7, 1)), times(take(s, "num", 1, 1), values)));
}

static void check_crop_side(const cfg_section *s, const char *key, uint64_t side, int most) {
    if (side > (uint64_t)most)
        fail("%s: %s: %s=%" PRIu64 ", but the picture above it is %d x %d", s->cfg_file, s->name,
             key, side, s->place.width, s->place.height);
}

/* A crop that fits goes on fitting when random=1 draws another size, because the host scales it
 * with the picture's height; it may come to nothing, though. */
static void check_crop_layer(const cfg_section *s) {
    enum { SMALLEST_DRAWN = 128 };
    uint64_t height = take(s, "crop_height", 1, 1), width = take(s, "crop_width", 1, 1);
    check_crop_side(s, "crop_height", height, s->place.height);
    check_crop_side(s, "crop_width", width, s->place.width);
    if (s->net->random && SMALLEST_DRAWN * height < (uint64_t)s->net->h)
        fail("%s: %s: crop_height=%" PRIu64 " of height=%d leaves no pixel of the %d x %d that "
             "random=1 may draw",
             s->cfg_file, s->name, height, s->net->h, SMALLEST_DRAWN, SMALLEST_DRAWN);
    check_outputs(s, times(times(height, width), (uint64_t)s->place.channels));
}

static void check_route(const cfg_section *s) {
    const char *text = option_find(s->options, "layers");
    uint64_t sum = 0;
    for (const char *at = text; at; at = next_place(at)) {
        int from = layer_above(s, at);
        if (from >= 0)
            sum += (uint64_t)s->net->layers[from].outputs;
    }
    check_outputs(s, sum);
}

static bool needs_picture(LAYER_TYPE type) {
    switch (type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
    case LOCAL:
    case CROP:
    case CRNN:
    case REORG:
    case MAXPOOL:
    case AVGPOOL:
    case BATCHNORM:
    case NORMALIZATION:
    case UPSAMPLE:
        return true;
    default:
        return false;
    }
}

void check_layer_sizes(const cfg_section *s, LAYER_TYPE type) {
    uint64_t pixels = (uint64_t)s->place.height * (uint64_t)s->place.width;
    bool picture = pixels && s->place.channels;
    if (needs_picture(type) && !picture)
        fail("%s: %s: it needs a picture, but gets %d values without width, height and channels",
             s->cfg_file, s->name, s->place.inputs);
    switch (type) {
    case CONVOLUTIONAL:
        return check_convolution(s);
    case DECONVOLUTIONAL:
        return check_deconvolution(s);
    case LOCAL:
        return check_local(s);
    case CONNECTED:
    case RNN:
    case GRU:
    case LSTM:
        return check_matrices(s, type);
    case CRNN:
        return check_crnn(s);
    case MAXPOOL:
        return check_maxpool(s);
    case UPSAMPLE:
        return check_upsample(s);
    case REGION:
    case YOLO:
        return check_boxes(s);
    case DETECTION:
        return check_detection(s);
    case ISEG:
        return check_outputs(s,
                             times(pixels, plus(take(s, "classes", 20, 0), take(s, "ids", 32, 0))));
    case CROP:
        return check_crop_layer(s);
    case REORG:
        take(s, "stride", 1, 1);
        return check_outputs(s, plus((uint64_t)s->place.inputs, take(s, "extra", 0, 0)));
    case ROUTE:
        return check_route(s);
    default: /* as many outputs as inputs, or fewer */
        return check_outputs(s, (uint64_t)s->place.inputs);
    }
}

/* ---- the whole network ---- */

void check_net_sizes(const cfg_section *s) {
    uint64_t picture =
        times(times(take(s, "width", 0, 0), take(s, "height", 0, 0)), take(s, "channels", 0, 0));
    if (!option_find(s->options, "inputs"))
        check_array(s, "inputs", picture);
    uint64_t inputs = take(s, "inputs", picture > INT_MAX ? INT_MAX : (int)picture, 0);
    uint64_t steps = take(s, "time_steps", 1, 1), parts = take(s, "subdivisions", 1, 1);
    check_array(s, "inputs of a micro-batch",
                times(times(take(s, "batch", 1, 0) / parts, steps), inputs));
}

/* Of a micro-batch; random=1 draws sizes up to 448 x 448, as the host does. */
static uint64_t outputs_in_training(const char *cfg_file, const network *net, int index) {
    const uint64_t LARGEST = UINT64_C(448) * 448;
    const layer *l = &net->layers[index];
    uint64_t outputs = times((uint64_t)l->outputs, (uint64_t)l->batch);
    uint64_t pixels = times((uint64_t)net->w, (uint64_t)net->h);
    bool grows = net->random && pixels && pixels < LARGEST && l->out_w > 1 && l->out_h > 1;
    if (!grows)
        return outputs;
    outputs = times(outputs, LARGEST) / pixels;
    if (outputs > INT_MAX)
        fail("%s: layer %d: %" PRIu64 " outputs of a micro-batch at 448 x 448, which random=1 may "
             "draw, but %d is the most",
             cfg_file, index, outputs, INT_MAX);
    return outputs;
}

/* Of the layer's arrays, with their updates. */
static uint64_t floats_of_arrays(const layer *l) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    uint64_t floats = 0;
    int count = list_layer_arrays(l, arrays);
    for (int k = 0; k < count; k++)
        floats += (arrays[k].updates ? 2 : 1) * (uint64_t)arrays[k].count;
    return floats;
}

/* How often pairwise_sum.h keeps each parameter's gradient while the own shards are added up. */
static uint64_t copies_for_shards(const network *net) {
    uint64_t copies = 0;
    for (int own = count_own_shards(net); own > 1; own /= 2)
        copies++;
    return copies;
}

void check_training_memory(const char *cfg_file, const network *net, bool has_copy) {
#ifdef GPU
    if (net->gpu_index >= 0)
        return;
#endif
    uint64_t floats = 0, limit = memory_limit(), rows = (uint64_t)rows_of_all(net);
    for (int i = 0; i < net->n; i++) {
        const layer *l = &net->layers[i];
        uint64_t arrays = floats_of_arrays(l); /* each of the parameters, and its updates */
        floats += (has_copy ? 2 : 1) * arrays + copies_for_shards(net) * arrays / 2;
        if (l->type == DROPOUT ||
            l->type == DLB_COST) /* whose outputs are those of the one above */
            continue;
        floats += outputs_in_training(cfg_file, net, i);
        if (has_copy)
            floats +=
                times(times((uint64_t)l->outputs, (uint64_t)l->batch), rows) / (uint64_t)net->batch;
    }
    if (times(floats, sizeof(float)) > limit)
        fail("%s: a training of this network takes at least %" PRIu64 " bytes of memory, with "
             "batch/subdivisions = %d%s, but %" PRIu64 " is the most here",
             cfg_file, times(floats, sizeof(float)), rows_of_all(net),
             has_copy ? " and a second network with all these rows, which -valid_every 0 spares"
                      : "",
             limit);
}
