/* The host's layers that the patches change, its own code on the CPU, against plain references in
 * double: outputs, gradients (which add to what is there), updates, weights files; whole networks
 * with routes and shortcuts against finite differences of their loss. */
#include <math.h>

#include "fail.h"
#include "maxpool_layer.h"
#include "small_network.h"
#include "temporary_file.h"
#include "utils.h"

/* Last, because it makes a macro of fail. */
#include "expect_fail.h"

/* Of the largest value of an array: floats summed up one by one, over a few hundred terms. */
static const double RELATIVE = 2e-5;

static void compare(const char *what, const float *got, const double *expected, int count) {
    double largest = 1e-6;
    for (int i = 0; i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (int i = 0; i < count; i++)
        if (!(fabs(got[i] - expected[i]) <= RELATIVE * largest))
            fail_msg("%s[%d]: %.8g, expected %.8g (largest %.3g)", what, i, got[i], expected[i],
                     largest);
}

/* ---- one layer, run by hand ---- */

/* `start` is what the layer's and its input's deltas hold before the backward pass. */
typedef struct {
    network net;
    float *input, *delta, *input_delta, *start;
    int inputs, outputs; /* of the whole batch */
} bench;

static float *drawn(int count) {
    float *floats = allocate((size_t)count, sizeof *floats);
    draw_floats(floats, count);
    return floats;
}

static float *copied(const float *from, int count) {
    float *floats = allocate((size_t)count, sizeof *floats);
    memcpy(floats, from, (size_t)count * sizeof *floats);
    return floats;
}

static double *zeros(int count) {
    return allocate((size_t)count, sizeof(double));
}

/* As double, what a gradient is added to. */
static double *widened(const float *from, int count) {
    double *doubles = zeros(count);
    for (int i = 0; i < count; i++)
        doubles[i] = from[i];
    return doubles;
}

/* Forward, and in training backward from a gradient drawn at random, which b.delta keeps. */
static bench run_layer(layer l, int train) {
    bench b = {.inputs = l.batch * l.inputs, .outputs = l.batch * l.outputs};
    b.input = drawn(b.inputs);
    b.start = drawn(b.inputs);
    b.input_delta = copied(b.start, b.inputs);
    b.delta = drawn(b.outputs);
    b.net.train = train;
    b.net.input = b.input;
    b.net.delta = b.input_delta;
    b.net.workspace = allocate(1, l.workspace_size + 1);
    l.forward(l, b.net);
    if (train) {
        memcpy(l.delta, b.delta, (size_t)b.outputs * sizeof(float));
        l.backward(l, b.net);
    }
    return b;
}

static void free_bench(bench b) {
    free(b.input);
    free(b.start);
    free(b.input_delta);
    free(b.delta);
    free(b.net.workspace);
}

/* ---- batch normalization ---- */

typedef struct {
    double mean, variance;
} moments;

/* Where value `i` of `channel` is, of n = batch * area. */
static int at(const layer *l, int channel, int i) {
    int area = l->out_h * l->out_w;
    return (i / area * l->c + channel) * area + i % area;
}

static moments moments_of(const layer *l, const float *x, int channel) {
    int n = l->batch * l->out_h * l->out_w;
    moments m = {0, 0};
    for (int i = 0; i < n; i++)
        m.mean += x[at(l, channel, i)] / (double)n;
    for (int i = 0; i < n; i++)
        m.variance += pow(x[at(l, channel, i)] - m.mean, 2) / (n - 1);
    return m;
}

/* The host's: y = scale * (x - mean) / (sqrt(variance) + 1e-6) + bias. */
static void reference_normalize(const layer *l, const float *x, int channel, moments m, double *y) {
    int n = l->batch * l->out_h * l->out_w;
    for (int i = 0; i < n; i++)
        y[at(l, channel, i)] =
            l->scales[channel] * (x[at(l, channel, i)] - m.mean) / (sqrt(m.variance) + 1e-6) +
            l->biases[channel];
}

/* The host's gradient takes the variance for one with n below, and puts 1e-5 under its root. */
static void reference_normalize_back(const layer *l, const bench *b, int channel, double *dx,
                                     double *d_bias, double *d_scale) {
    int n = l->batch * l->out_h * l->out_w;
    moments m = moments_of(l, b->input, channel);
    double root = sqrt(m.variance + 1e-5), sum = 0, sum_x = 0;
    for (int i = 0; i < n; i++) {
        sum += b->delta[at(l, channel, i)];
        sum_x += b->delta[at(l, channel, i)] * (b->input[at(l, channel, i)] - m.mean);
    }
    *d_bias += sum;
    *d_scale += sum_x / (sqrt(m.variance) + 1e-6);
    for (int i = 0; i < n; i++)
        dx[at(l, channel, i)] +=
            l->scales[channel] / root *
            (b->delta[at(l, channel, i)] - sum / n -
             (b->input[at(l, channel, i)] - m.mean) * sum_x / (root * root) / n);
}

static layer drawn_batchnorm(int batch, int width, int height, int channels) {
    layer l = make_batchnorm_layer(batch, width, height, channels);
    l.learning_rate_scale = 1;
    for (int i = 0; i < channels; i++) {
        l.scales[i] = draw() + 1.5f;
        l.biases[i] = draw();
        l.rolling_mean[i] = draw();
        l.rolling_variance[i] = draw() + 2;
        l.scale_updates[i] = draw();
        l.bias_updates[i] = draw();
    }
    return l;
}

static void check_batchnorm_training(int batch, int width, int height, int channels) {
    layer l = drawn_batchnorm(batch, width, height, channels);
    double *rolling_mean = widened(l.rolling_mean, channels);
    double *rolling_variance = widened(l.rolling_variance, channels);
    double *d_bias = widened(l.bias_updates, channels);
    double *d_scale = widened(l.scale_updates, channels);
    bench b = run_layer(l, 1);
    double *y = zeros(b.outputs), *dx = widened(b.start, b.inputs);
    for (int c = 0; c < channels; c++) {
        moments m = moments_of(&l, b.input, c);
        reference_normalize(&l, b.input, c, m, y);
        reference_normalize_back(&l, &b, c, dx, &d_bias[c], &d_scale[c]);
        rolling_mean[c] = .99 * rolling_mean[c] + .01 * m.mean;
        rolling_variance[c] = .99 * rolling_variance[c] + .01 * m.variance;
    }
    compare("output", l.output, y, b.outputs);
    compare("input's delta", b.input_delta, dx, b.inputs);
    compare("bias_updates", l.bias_updates, d_bias, channels);
    compare("scale_updates", l.scale_updates, d_scale, channels);
    compare("rolling_mean", l.rolling_mean, rolling_mean, channels);
    compare("rolling_variance", l.rolling_variance, rolling_variance, channels);
    free(y);
    free(dx);
    free(d_bias);
    free(d_scale);
    free(rolling_mean);
    free(rolling_variance);
    free_bench(b);
    free_layer(l);
}

static void batchnorm_in_training(void **state) {
    (void)state;
    check_batchnorm_training(2, 5, 7, 3);
    check_batchnorm_training(4, 3, 3, 17);
    check_batchnorm_training(6, 1, 1, 5);
    check_batchnorm_training(1, 8, 4, 16);
}

static void check_batchnorm_inference(int batch, int width, int height, int channels) {
    layer l = drawn_batchnorm(batch, width, height, channels);
    double *rolling_mean = widened(l.rolling_mean, channels);
    bench b = run_layer(l, 0);
    double *y = zeros(b.outputs);
    for (int c = 0; c < channels; c++)
        reference_normalize(&l, b.input, c, (moments){l.rolling_mean[c], l.rolling_variance[c]}, y);
    compare("output", l.output, y, b.outputs);
    compare("rolling_mean", l.rolling_mean, rolling_mean, channels);
    free(y);
    free(rolling_mean);
    free_bench(b);
    free_layer(l);
}

static void batchnorm_in_inference(void **state) {
    (void)state;
    check_batchnorm_inference(2, 5, 7, 3);
    check_batchnorm_inference(1, 1, 1, 9);
}

/* As the first layer it has nobody to give its gradient to. */
static void batchnorm_without_an_input_delta(void **state) {
    (void)state;
    layer l = drawn_batchnorm(2, 3, 3, 4);
    double *before = widened(l.bias_updates, 4);
    network net = {.train = 1, .input = drawn(2 * l.inputs)};
    l.forward(l, net);
    for (int i = 0; i < 2 * l.outputs; i++)
        l.delta[i] = 1;
    l.backward(l, net);
    for (int c = 0; c < 4; c++)
        before[c] += 2 * 9;
    compare("bias_updates", l.bias_updates, before, 4);
    free(before);
    free(net.input);
    free_layer(l);
}

/* ---- activation ---- */

static double activated(ACTIVATION a, double x, double *slope) {
    if (a == LOGISTIC) {
        double y = 1 / (1 + exp(-x));
        *slope = y * (1 - y);
        return y;
    }
    *slope = x > 0 ? 1 : a == LEAKY ? .1 : 0;
    return x * *slope;
}

static void check_activation(ACTIVATION activation, int batch, int inputs) {
    layer l = make_activation_layer(batch, inputs, activation);
    bench b = run_layer(l, 1);
    double *y = zeros(b.outputs), *dx = widened(b.start, b.inputs);
    for (int i = 0; i < b.outputs; i++) {
        double slope;
        y[i] = activated(activation, b.input[i], &slope);
        dx[i] += b.delta[i] * slope;
    }
    compare("output", l.output, y, b.outputs);
    compare("input's delta", b.input_delta, dx, b.inputs);
    free(y);
    free(dx);
    free_bench(b);
    free_layer(l);
}

static void activation_adds_its_gradient(void **state) {
    (void)state;
    check_activation(RELU, 3, 35);
    check_activation(LEAKY, 1, 64);
    check_activation(LOGISTIC, 2, 17);
}

/* ---- convolution ---- */

typedef struct {
    int batch, width, height, channels, filters, groups, size, stride, pad, bias;
} conv;

/* One product of the convolution: output, weight and input that meet. */
typedef void product(void *into, int output, int weight, int input);

static void for_each_product(const layer *l, product *visit, void *into) {
    int per_group = l->c / l->groups, filters = l->n / l->groups;
    for (int o = 0; o < l->batch * l->outputs; o++) {
        int column = o % l->out_w, row = o / l->out_w % l->out_h;
        int filter = o / (l->out_w * l->out_h) % l->n, image = o / l->outputs;
        for (int w = 0; w < per_group * l->size * l->size; w++) {
            int r = row * l->stride - l->pad + w / l->size % l->size;
            int c = column * l->stride - l->pad + w % l->size;
            int channel = filter / filters * per_group + w / (l->size * l->size);
            if (r >= 0 && r < l->h && c >= 0 && c < l->w)
                visit(into, o, filter * per_group * l->size * l->size + w,
                      ((image * l->c + channel) * l->h + r) * l->w + c);
        }
    }
}

typedef struct {
    const layer *l;
    const bench *b;
    double *y, *dx, *dw;
} conv_sums;

static void add_product(void *into, int output, int weight, int input) {
    conv_sums *s = into;
    s->y[output] += (double)s->l->weights[weight] * s->b->input[input];
    s->dx[input] += (double)s->l->weights[weight] * s->b->delta[output];
    s->dw[weight] += (double)s->b->input[input] * s->b->delta[output];
}

static void check_convolution(conv shape) {
    layer l = make_convolutional_layer(shape.batch, shape.height, shape.width, shape.channels,
                                       shape.filters, shape.groups, shape.size, shape.stride,
                                       shape.pad, LINEAR, 0, 0, 0, 0);
    draw_floats(l.biases, l.n); /* without bias they are not to be used */
    draw_floats(l.weight_updates, l.nweights);
    l.nbiases = shape.bias ? l.n : 0;
    double *d_bias = zeros(l.n);
    conv_sums s = {.l = &l, .dw = widened(l.weight_updates, l.nweights)};
    bench b = run_layer(l, 1);
    s.b = &b;
    s.y = zeros(b.outputs);
    s.dx = widened(b.start, b.inputs);
    for_each_product(&l, add_product, &s);
    for (int o = 0; shape.bias && o < b.outputs; o++) {
        int filter = o / (l.out_w * l.out_h) % l.n;
        s.y[o] += l.biases[filter];
        d_bias[filter] += b.delta[o];
    }
    compare("output", l.output, s.y, b.outputs);
    compare("weight_updates", l.weight_updates, s.dw, l.nweights);
    compare("bias_updates", l.bias_updates, d_bias, l.n);
    compare("input's delta", b.input_delta, s.dx, b.inputs);
    free(s.y);
    free(s.dx);
    free(s.dw);
    free(d_bias);
    free_bench(b);
    free_layer(l);
}

/* batch, width, height, channels, filters, groups, size, stride, pad, bias */
static void convolution_1x1(void **state) {
    (void)state;
    check_convolution((conv){2, 7, 5, 3, 4, 1, 1, 1, 0, 1});
    check_convolution((conv){2, 8, 8, 4, 6, 1, 1, 2, 0, 1});
    check_convolution((conv){3, 7, 5, 6, 4, 2, 1, 2, 0, 1});
    check_convolution((conv){2, 10, 7, 3, 5, 1, 1, 3, 0, 1});
    check_convolution((conv){2, 5, 4, 3, 2, 1, 1, 1, 1, 1});
    check_convolution((conv){1, 5, 4, 3, 2, 1, 1, 2, 2, 1});
}

static void convolution_of_other_sizes(void **state) {
    (void)state;
    check_convolution((conv){2, 7, 5, 3, 4, 1, 3, 1, 1, 1});
    check_convolution((conv){2, 9, 6, 4, 6, 2, 3, 2, 1, 1});
    check_convolution((conv){1, 8, 8, 2, 3, 1, 5, 3, 0, 1});
}

static void convolution_without_bias(void **state) {
    (void)state;
    check_convolution((conv){2, 7, 5, 3, 4, 1, 3, 1, 1, 0});
    check_convolution((conv){3, 4, 6, 8, 5, 1, 1, 2, 0, 0});
}

/* ---- average pooling ---- */

static void check_window_average(int batch, int width, int height, int channels, int size,
                                 int stride, int padding) {
    layer l = make_avgpool_layer(batch, width, height, channels, size, stride, padding);
    assert_int_equal(l.out_w, (width + padding - size) / stride + 1);
    assert_int_equal(l.out_h, (height + padding - size) / stride + 1);
    bench b = run_layer(l, 1);
    double *y = zeros(b.outputs), *dx = widened(b.start, b.inputs);
    for (int o = 0; o < b.outputs; o++) {
        int left = o % l.out_w * stride - padding / 2;
        int top = o / l.out_w % l.out_h * stride - padding / 2;
        int plane = o / (l.out_w * l.out_h), inside = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int k = 0; k < size * size; k++) {
                int row = top + k / size, column = left + k % size;
                int in = (plane * height + row) * width + column;
                if (row < 0 || row >= height || column < 0 || column >= width)
                    continue;
                if (pass == 0) {
                    y[o] += b.input[in];
                    inside++;
                } else {
                    dx[in] += (double)b.delta[o] / inside;
                }
            }
        y[o] /= inside;
    }
    compare("output", l.output, y, b.outputs);
    compare("input's delta", b.input_delta, dx, b.inputs);
    free(y);
    free(dx);
    free_bench(b);
    free_layer(l);
}

static void avgpool_of_windows(void **state) {
    (void)state;
    check_window_average(2, 8, 8, 3, 2, 2, 0);
    check_window_average(2, 7, 5, 4, 2, 2, 0);
    check_window_average(1, 9, 6, 2, 3, 1, 0);
    check_window_average(3, 9, 7, 2, 2, 3, 0);
    check_window_average(2, 7, 5, 3, 3, 2, 2);
    check_window_average(2, 6, 7, 3, 2, 2, 1);
    check_window_average(2, 6, 7, 3, 1, 2, 0);
}

static void avgpool_of_the_whole(void **state) {
    (void)state;
    layer l = make_avgpool_layer(2, 5, 7, 3, 0, 0, 0);
    assert_int_equal(l.outputs, 3);
    bench b = run_layer(l, 1);
    double y[6] = {0}, *dx = widened(b.start, b.inputs);
    for (int i = 0; i < b.inputs; i++) {
        y[i / 35] += b.input[i] / 35.;
        dx[i] += b.delta[i / 35] / 35.;
    }
    compare("output", l.output, y, 6);
    compare("input's delta", b.input_delta, dx, b.inputs);
    free(dx);
    free_bench(b);
    free_layer(l);
}

/* It has no largest value. Where the compiler, which may take it that no number is NaN, finds one
 * all the same, it is in the window. */
static void maxpool_of_nan(void **state) {
    (void)state;
    layer l = make_maxpool_layer(1, 2, 4, 1, 2, 2, 0);
    float *input = allocate(8, sizeof *input), *input_delta = allocate(8, sizeof *input_delta);
    network net = {.input = input, .delta = input_delta};
    input[0] = input[1] = input[4] = input[5] = NAN; /* the first of two windows */
    input[6] = 3;
    l.forward(l, net);
    l.delta[0] = 5;
    l.delta[1] = 7;
    l.backward(l, net);
    for (int i = 0; i < 8; i++)
        assert_true(input_delta[i] == (i == 6 ? 7 : 0) || (i % 4 < 2 && input_delta[i] == 5));
    free(input);
    free(input_delta);
    free_layer(l);
}

/* ---- whole networks ---- */

#define NET(keys)                                                                                  \
    "[net]\nbatch=4\nwidth=8\nheight=8\nchannels=3\nlearning_rate=.1\nmomentum=.9\ndecay=."        \
    "01\n" keys
#define CONV(filters, size, stride, keys)                                                          \
    "[convolutional]\nfilters=" #filters "\nsize=" #size "\nstride=" #stride                       \
    "\npad=1\nactivation=linear\n" keys
#define COST "[cost]\ntype=sse\n"

/* rand_normal() draws two at a time and keeps the second, over srand(). */
static void seed(unsigned number) {
    srand(number);
    rand_normal();
    int next = rand();
    srand(number);
    rand();
    rand();
    if (rand() == next) /* it drew */
        rand_normal();
    srand(number);
}

/* Smooth throughout, so that differences of the loss are a gradient. Layers 0, 8 and 9 are read by
 * the layer after them and by a route or shortcut below. */
static const char SMOOTH_NETWORK[] =
    "[net]\nbatch=64\nwidth=8\nheight=8\nchannels=3\n"
    "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=linear\nbias=0\n" /* 0 */
    "[batchnorm]\n"
    "[activation]\nactivation=tanh\n"
    "[convolutional]\nfilters=8\nsize=1\nactivation=linear\nbias=0\n" /* 3 */
    "[route]\nlayers=-1,0\n"
    "[batchnorm]\n"
    "[activation]\nactivation=tanh\n" /* 6 */
    "[avgpool]\nsize=2\nstride=2\n"
    "[convolutional]\nfilters=6\nsize=1\nstride=2\nactivation=linear\n"
    "[batchnorm]\n" /* 9 */
    "[activation]\nactivation=tanh\n"
    "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=linear\n"
    "[shortcut]\nfrom=-4\nactivation=linear\n" /* 12 */
    "[route]\nlayers=-1,9\n"
    "[connected]\noutput=5\nactivation=linear\n"
    "[cost]\ntype=sse\n";

static double loss_of(network *net) {
    double sum = 0;
    net->train = 1;
    forward_network(net);
    for (int i = 0; i < net->outputs * net->batch; i++)
        sum += pow((double)net->truth[i] - net->output[i], 2) / 2;
    return sum;
}

static double norm_of(const float *x, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)x[i] * x[i];
    return sqrt(sum);
}

/* The slope of the loss along `gradient` must be its length; it is minus the gradient. The host's
 * normalization takes n for n - 1 in one term of its gradient; n is 256 and more here. */
static void check_slope(network *net, const char *what, int index, float *values,
                        const float *gradient, int count) {
    float *kept = copied(values, count), *direction = copied(gradient, count);
    double length = norm_of(gradient, count), step = 2e-2, loss[2];
    assert_true(length > 0);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < count; i++)
            values[i] = kept[i] + (float)((side ? -step : step) * direction[i] / length);
        loss[side] = loss_of(net);
    }
    memcpy(values, kept, (size_t)count * sizeof *values);
    double slope = (loss[1] - loss[0]) / (2 * step);
    if (!(fabs(slope - length) <= .02 * length))
        fail_msg("layer %d, %s: slope %.6g along a gradient of length %.6g", index, what, slope,
                 length);
    free(kept);
    free(direction);
}

static void check_slopes(network *net) {
    int inputs = net->inputs * net->batch;
    float *input_delta = allocate((size_t)inputs, sizeof *input_delta);
    draw_floats(net->input, inputs);
    draw_floats(net->truth, net->truths * net->batch);
    loss_of(net);
    net->delta = input_delta;
    backward_network(net);
    net->delta = NULL;
    check_slope(net, "input", 0, net->input, input_delta, inputs);
    for (int i = 0; i < net->n; i++) {
        layer l = net->layers[i];
        if (l.weights)
            check_slope(net, "weights", i, l.weights, l.weight_updates,
                        l.type == CONNECTED ? l.inputs * l.outputs : l.nweights);
        if (l.scales)
            check_slope(net, "scales", i, l.scales, l.scale_updates, l.out_c);
        if (l.biases && !(l.type == CONVOLUTIONAL && l.nbiases == 0))
            check_slope(net, "biases", i, l.biases, l.bias_updates, l.out_c);
    }
    free(input_delta);
}

static void gradients_are_slopes_of_the_loss(void **state) {
    (void)state;
    for (int host = 0; host < 2; host++) {
        seed(11);
        network *net = parse_network_text(SMOOTH_NETWORK);
        if (host)
            give_layers_back(net);
        check_slopes(net);
        free_network(net);
    }
}

static void train_step(network *net) {
    draw_floats(net->input, net->inputs * net->batch);
    draw_floats(net->truth, net->truths * net->batch);
    train_network_datum(net);
}

/* Layers without weights as the first have no delta to write to. */
static void first_layers_without_weights(void **state) {
    (void)state;
    static const char *const first[] = {"[maxpool]\nsize=2\nstride=2\n",
                                        "[avgpool]\nsize=2\nstride=2\n",
                                        "[avgpool]\n",
                                        "[activation]\nactivation=leaky\n",
                                        "[batchnorm]\n",
                                        "[softmax]\nnoloss=1\n"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        char *text =
            format_string(NET("") "%s[connected]\noutput=4\nactivation=linear\n" COST, first[i]);
        network *net = parse_network_text(text);
        layer l = net->layers[1];
        float *before = copied(l.weights, l.inputs * l.outputs);
        train_step(net);
        assert_memory_not_equal(before, l.weights, (size_t)(l.inputs * l.outputs) * sizeof(float));
        free(before);
        free_network(net);
        free(text);
    }
}

/* What is there after a change of size is what a network of that size has. */
/* With the largest workspace of its network. */
static void local_layers_have_room(void **state) {
    (void)state;
    network *net = parse_network_text(
        NET("") "[local]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n" COST);
    const layer *l = &net->layers[0];
    assert_true(l->workspace_size >= (size_t)(l->out_h * l->out_w * 9 * l->c) * sizeof(float));
    draw_floats(net->input, net->inputs * net->batch);
    net->train = 1;
    forward_network(net);
    backward_network(net);
    free_network(net);
}

static void another_size(void **state) {
    (void)state;
    static const char body[] =
        CONV(6, 3, 1, "") "[batchnorm]\n[activation]\nactivation=leaky\n"
                          "[avgpool]\nsize=2\nstride=2\n" CONV(5, 3, 1, "") COST;
    char *small = format_string(NET("") "%s", body);
    char *large = format_string("[net]\nbatch=4\nwidth=12\nheight=10\nchannels=3\n%s", body);
    seed(4);
    network *resized = parse_network_text(small);
    seed(4);
    network *made = parse_network_text(large);
    give_layers_back(resized);
    give_layers_back(made);
    resize_network(resized, 12, 10);
    assert_int_equal(resized->outputs, made->outputs);
    draw_floats(made->input, made->inputs * made->batch);
    memcpy(resized->input, made->input, (size_t)(made->inputs * made->batch) * sizeof(float));
    loss_of(made);
    loss_of(resized);
    assert_memory_equal(made->output, resized->output,
                        (size_t)(made->outputs * made->batch) * sizeof(float));
    free_network(resized);
    free_network(made);
    free(small);
    free(large);
}

/* ---- updates ---- */

/* One array of parameters with its updates, and both as they were before. */
typedef struct {
    const char *name;
    int count;
    double rate, decay;
    float *values, *updates;
    double *old_values, *old_updates;
} parameters;

typedef struct {
    parameters all[16];
    int count;
} watched;

static void watch(watched *w, const char *name, int count, double rate, double decay, float *values,
                  float *updates) {
    if (!values)
        return;
    draw_floats(values, count);
    draw_floats(updates, count);
    w->all[w->count++] = (parameters){
        name, count, rate, decay, values, updates, widened(values, count), widened(updates, count)};
}

static void watch_layer(watched *w, layer l, double rate, double decay, double decay_others) {
    int weights = l.nweights ? l.nweights : l.inputs * l.outputs;
    watch(w, "weights", weights, rate, decay, l.weights, l.weight_updates);
    watch(w, "scales", l.out_c, rate, decay_others, l.scales, l.scale_updates);
    watch(w, "biases", l.out_c, rate, decay_others, l.biases, l.bias_updates);
}

static void expect_step(const parameters *p, double momentum) {
    double *values = zeros(p->count), *updates = zeros(p->count);
    for (int i = 0; i < p->count; i++) {
        double step = p->old_updates[i] - p->decay * p->old_values[i];
        values[i] = p->old_values[i] + p->rate * step;
        updates[i] = momentum * step;
    }
    compare(p->name, p->values, values, p->count);
    compare(p->name, p->updates, updates, p->count);
    free(values);
    free(updates);
}

static const char PARAMETERS[] =
    "[convolutional]\nfilters=5\nsize=3\nactivation=linear\nbatch_normalize=1\n"
    "[convolutional]\nfilters=4\nsize=1\nstride=2\nactivation=linear\nlearning_rate=.5\n"
    "[batchnorm]\n"
    "[connected]\noutput=7\nactivation=linear\nbatch_normalize=1\n"
    "[connected]\noutput=3\nactivation=linear\n" COST;

/* Batch 4 in 2 micro-batches, learning rate .1 (half of it for the layer that says so), momentum
 * .9, decay .01: the decay is of the mean loss, the updates are of its sum over the batch. */
static void check_updates(const char *net_keys, int decays_all, int host) {
    char *text = format_string(NET("subdivisions=2\n%s") "%s", net_keys, PARAMETERS);
    network *net = parse_network_text(text);
    watched w = {.count = 0};
    if (host)
        give_layers_back(net);
    for (int i = 0; i < net->n; i++)
        watch_layer(&w, net->layers[i], .1 / 4 * (i == 1 ? .5 : 1), .01 * 4,
                    decays_all ? .01 * 4 : 0);
    assert_int_equal(w.count, 4 + 3 + 5); /* arrays of weights, scales and biases */
    update_network(net);
    for (int i = 0; i < w.count; i++) {
        expect_step(&w.all[i], .9);
        free(w.all[i].old_values);
        free(w.all[i].old_updates);
    }
    free_network(net);
    free(text);
}

static void updates_decay_the_weights(void **state) {
    (void)state;
    for (int host = 0; host < 2; host++) {
        check_updates("", 0, host);
        check_updates("decay_all=0\n", 0, host);
    }
}

static void updates_decay_all(void **state) {
    (void)state;
    for (int host = 0; host < 2; host++)
        check_updates("decay_all=1\n", 1, host);
}

/* ---- weights files ---- */

/* The floats of the weights file, of which there must be as many as expected. */
static float *file_floats(int expected) {
    enum { HEADER = 3 * sizeof(int) + sizeof(size_t) };
    FILE *stream = fopen(file, "rb");
    assert_non_null(stream);
    float *floats = allocate((size_t)expected + 1, sizeof *floats);
    assert_int_equal(fseek(stream, HEADER, SEEK_SET), 0);
    assert_int_equal(fread(floats, sizeof *floats, (size_t)expected + 1, stream), expected);
    fclose(stream);
    return floats;
}

static void batchnorm_in_a_weights_file(void **state) {
    (void)state;
    network *net = parse_network_text(NET("") "[batchnorm]\n" COST);
    network *other = parse_network_text(NET("") "[batchnorm]\n" COST);
    layer l = net->layers[0], m = other->layers[0];
    float *arrays[] = {l.biases, l.scales, l.rolling_mean, l.rolling_variance};
    float *loaded[] = {m.biases, m.scales, m.rolling_mean, m.rolling_variance};
    for (int i = 0; i < 4; i++)
        draw_floats(arrays[i], 3);
    save_weights(net, file);
    float *floats = file_floats(4 * 3);
    load_weights(other, file);
    for (int i = 0; i < 4; i++) {
        assert_memory_equal(floats + 3 * i, arrays[i], 3 * sizeof(float));
        assert_memory_equal(loaded[i], arrays[i], 3 * sizeof(float));
    }
    free(floats);
    free_network(net);
    free_network(other);
}

static void load_into_unbiased(void *nothing) {
    (void)nothing;
    network *net = parse_network_text(NET("") CONV(4, 1, 1, "bias=0\n") COST);
    load_weights(net, file);
}

static void expect_refused(void (*action)(void *), void *arg, const char *sentence);

static void no_bias_in_a_weights_file(void **state) {
    (void)state;
    network *net = parse_network_text(NET("") CONV(4, 1, 1, "bias=0\n") COST);
    for (int i = 0; i < 3; i++)
        train_step(net);
    save_weights(net, file);
    float *floats = file_floats(4 + 4 * 3), none[4] = {0};
    assert_memory_equal(floats, none, sizeof none);
    load_weights(net, file);
    net->layers[0].biases[2] = .5f;
    save_weights(net, file);
    char *sentence = format_string("%s: layer 0, a [convolutional] with bias=0, has a bias of 0.5 "
                                   "there",
                                   file);
    expect_refused(load_into_unbiased, NULL, sentence);
    free(sentence);
    free(floats);
    free_network(net);
}

/* ---- initial weights ---- */

/* `count` draws of a normal distribution: mean 0, deviation, and the mean of |x|, which tells it
 * from others of the same deviation; each to four times the deviation of its own estimate. */
static void expect_normal(const float *x, int count, double deviation) {
    double sum = 0, squares = 0, sizes = 0, n = count;
    for (int i = 0; i < count; i++) {
        sum += x[i] / deviation;
        squares += pow(x[i] / deviation, 2);
        sizes += fabs(x[i] / deviation);
    }
    double size = sqrt(2 / 3.14159265358979);
    if (!(fabs(sum / n) <= 4 / sqrt(n)))
        fail_msg("mean %g deviations", sum / n);
    if (!(fabs(squares / n - 1) <= 4 * sqrt(2 / n)))
        fail_msg("variance is %g times the expected one", squares / n);
    if (!(fabs(sizes / n - size) <= 4 * sqrt((1 - size * size) / n)))
        fail_msg("mean size %g deviations, expected %g", sizes / n, size);
}

static void expect_zeros(const float *x, int count) {
    for (int i = 0; i < count; i++)
        assert_true(x[i] == 0);
}

static void initial_weights_by_key(void **state) {
    (void)state;
    seed(21);
    network *net =
        parse_network_text(NET("") CONV(96, 3, 1, "") CONV(128, 3, 1, "init=he_fan_out\n") CONV(
            64, 3, 2,
            "init=he_fan_out\ngroups=4\nbatch_normalize=1\n") "[connected]\noutput=100\nactivation="
                                                              "linear\ninit_std=0.01\n" COST);
    layer *l = net->layers;
    expect_normal(l[1].weights, l[1].nweights, sqrt(2. / (9 * 128)));
    expect_normal(l[2].weights, l[2].nweights, sqrt(2. / (9 * 64 / 4)));
    expect_normal(l[3].weights, l[3].inputs * 100, .01);
    expect_zeros(l[1].biases, 128);
    expect_zeros(l[2].biases, 64);
    expect_zeros(l[3].biases, 100);
    free_network(net);
}

/* Without the keys every weight is the one that the host drew from the same rand(). */
static void initial_weights_as_ever(void **state) {
    (void)state;
    enum { FILTERS = 8, OUTPUTS = 5, CONV_WEIGHTS = FILTERS * 27, INPUTS = FILTERS * 64 };
    float convolution[CONV_WEIGHTS], connected[OUTPUTS * INPUTS];
    seed(33);
    for (int i = 0; i < CONV_WEIGHTS; i++)
        convolution[i] = (float)sqrt(2. / 27) * rand_normal();
    for (int i = 0; i < OUTPUTS * INPUTS; i++)
        connected[i] = (float)sqrt(2. / INPUTS) * rand_uniform(-1, 1);
    int next = rand();
    seed(33);
    network *net = parse_network_text(
        NET("") CONV(8, 3, 1, "") "[connected]\noutput=5\nactivation=linear\n" COST);
    assert_int_equal(rand(), next);
    assert_memory_equal(net->layers[0].weights, convolution, sizeof convolution);
    assert_memory_equal(net->layers[1].weights, connected, sizeof connected);
    free_network(net);
}

/* ---- keys that are wrong ---- */

/* The parser says what it reads; the sentence comes last. */
static void expect_refused(void (*action)(void *), void *arg, const char *sentence) {
    int status;
    char *said = expect_fail_said(action, arg, &status);
    char *end = format_string("%s\n", sentence);
    size_t length = strlen(said), wanted = strlen(end);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 || length < wanted ||
        strcmp(said + length - wanted, end) != 0)
        fail_msg("expected status 1 and \"%s\" at the end of \"%s\"", sentence, said);
    free(end);
    free(said);
}

static void parse_any(void *text) {
    parse_network_text(text);
}

static void refuse(const char *net_keys, const char *layers, const char *sentence) {
    char *text = format_string(NET("%s") "%s" COST, net_keys, layers);
    char *whole = format_string(": %s", sentence);
    expect_refused(parse_any, text, whole);
    free(whole);
    free(text);
}

static void wrong_keys_of_layers(void **state) {
    (void)state;
    refuse("", CONV(4, 3, 1, "init=xavier\n"),
           "[convolutional] init=xavier is unknown; it knows he_fan_out");
    refuse("", CONV(4, 3, 1, "bias=2\n"),
           "[convolutional] bias=2 is not a whole number from 0 to 1");
    refuse("", CONV(4, 3, 1, "bias=no\n"),
           "[convolutional] bias=no is not a whole number from 0 to 1");
    refuse("", CONV(4, 3, 1, "bias=0\nbias=1\n"), "[convolutional] gives bias twice");
    refuse("", CONV(4, 3, 1, "bias=0\nbatch_normalize=1\n"),
           "[convolutional] bias=0 does not go with batch_normalize=1, whose shift the biases are");
    static const char *const deviations[] = {"0", "-1", "nan", "inf", "0x1", ".1x", "1e99"};
    for (size_t i = 0; i < sizeof deviations / sizeof *deviations; i++) {
        char *layer = format_string("[connected]\noutput=3\ninit_std=%s\n", deviations[i]);
        char *sentence =
            format_string("[connected] init_std=%s is not a number > 0", deviations[i]);
        refuse("", layer, sentence);
        free(layer);
        free(sentence);
    }
}

static void wrong_keys_of_avgpool(void **state) {
    (void)state;
    refuse("", "[avgpool]\nsize=0\n", "[avgpool] size=0 is not a whole number of at least 1");
    refuse("", "[avgpool]\nsize=2.5\n", "[avgpool] size=2.5 is not a whole number of at least 1");
    refuse("", "[avgpool]\nsize=2\nstride=0\n",
           "[avgpool] stride=0 is not a whole number of at least 1");
    refuse("", "[avgpool]\nsize=2\npadding=2\n",
           "[avgpool] padding=2 is not a whole number from 0 to 1");
    refuse("", "[avgpool]\npadding=1\n", "[avgpool] padding= needs size= too");
    refuse("", "[avgpool]\nsize=9\n",
           "[avgpool] size=9 is larger than its input of 8 x 8 with padding=0");
}

static void wrong_keys_of_net(void **state) {
    (void)state;
    refuse("decay_all=2\n", CONV(4, 3, 1, ""),
           "[net] decay_all=2 is not a whole number from 0 to 1");
    refuse("decay_all=1\nadam=1\n", CONV(4, 3, 1, ""), "[net] decay_all=1 does not go with adam=1");
    refuse("decay_all=1\n", CONV(4, 3, 1, "") "[rnn]\noutput=3\n",
           "[net] decay_all=1 does not know the parameters of a [rnn], layer 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batchnorm_in_training),
        cmocka_unit_test(batchnorm_in_inference),
        cmocka_unit_test(batchnorm_without_an_input_delta),
        cmocka_unit_test(activation_adds_its_gradient),
        cmocka_unit_test(convolution_1x1),
        cmocka_unit_test(convolution_of_other_sizes),
        cmocka_unit_test(convolution_without_bias),
        cmocka_unit_test(avgpool_of_windows),
        cmocka_unit_test(avgpool_of_the_whole),
        cmocka_unit_test(maxpool_of_nan),
        cmocka_unit_test(gradients_are_slopes_of_the_loss),
        cmocka_unit_test(first_layers_without_weights),
        cmocka_unit_test(local_layers_have_room),
        cmocka_unit_test(another_size),
        cmocka_unit_test(updates_decay_the_weights),
        cmocka_unit_test(updates_decay_all),
        cmocka_unit_test(batchnorm_in_a_weights_file),
        cmocka_unit_test(no_bias_in_a_weights_file),
        cmocka_unit_test(initial_weights_by_key),
        cmocka_unit_test(initial_weights_as_ever),
        cmocka_unit_test(wrong_keys_of_layers),
        cmocka_unit_test(wrong_keys_of_avgpool),
        cmocka_unit_test(wrong_keys_of_net),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
