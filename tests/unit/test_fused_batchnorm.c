/* The kernels of fused_batchnorm=1, run on the CPU with a thread for each of CUDA's: against sums
 * in double, the host's layer and finite differences, and bit for bit against themselves. */
#include "small_network.h"

#include "expect_fail.h"

#include "cuda_on_cpu.h"

#include "fused_batchnorm.h"
#include "fused_batchnorm_blocks.h"
#include "shared_network_state.h"

#include <math.h>

/* ---- one layer ---- */

typedef struct {
    unsigned rows, channels, pixels;
    unsigned length; /* of a part */
    unsigned threads;
    activation_slope slope;
    bool is_biased;
} kind;

/* (rows, channels, pixels), as the pass has them. */
typedef struct {
    fused_batchnorm_pass pass;
    float *x, *scales, *biases; /* the pass may not write them */
    unsigned values, count;     /* of a channel, of all */
} fused;

static float *drawn(unsigned count) {
    float *floats = calloc(count, sizeof *floats);
    draw_floats(floats, (int)count);
    return floats;
}

static float *not_a_number(unsigned count) {
    float *floats = calloc(count, sizeof *floats);
    for (unsigned i = 0; i < count; i++)
        floats[i] = NAN;
    return floats;
}

static float *copied(const float *from, unsigned count) {
    return memcpy(calloc(count, sizeof *from), from, count * sizeof *from);
}

static fused make_fused(kind k) {
    fused f = {.x = drawn(k.rows * k.channels * k.pixels),
               .scales = drawn(k.channels),
               .biases = drawn(k.channels),
               .values = k.rows * k.pixels,
               .count = k.rows * k.channels * k.pixels};
    unsigned parts = (f.values + k.length - 1) / k.length;
    f.pass =
        (fused_batchnorm_pass){.x = f.x,
                               .output = not_a_number(f.count),
                               .delta = drawn(f.count),
                               .input_delta = NULL,
                               .scales = f.scales,
                               .biases = f.biases,
                               .scale_updates = drawn(k.channels),
                               .bias_updates = drawn(k.channels),
                               .mean = not_a_number(k.channels),
                               .variance = not_a_number(k.channels),
                               .rolling_mean = drawn(k.channels),
                               .rolling_variance = drawn(k.channels),
                               .parts = calloc((size_t)k.channels * parts, sizeof(batchnorm_part)),
                               .rows = k.rows,
                               .channels = k.channels,
                               .pixels = k.pixels,
                               .split = {k.length, parts, k.threads},
                               .is_biased = k.is_biased,
                               .slope = k.slope};
    return f;
}

static void free_fused(fused *f) {
    fused_batchnorm_pass *p = &f->pass;
    float *all[] = {f->x,        f->scales,        f->biases,           p->output,
                    p->delta,    p->scale_updates, p->bias_updates,     p->mean,
                    p->variance, p->rolling_mean,  p->rolling_variance, p->input_delta};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(p->parts);
}

static void moments_kernel(void *pass) {
    batchnorm_moments_kernel(*(fused_batchnorm_pass *)pass);
}

static void outputs_kernel(void *pass) {
    batchnorm_outputs_kernel(*(fused_batchnorm_pass *)pass);
}

static void sums_kernel(void *pass) {
    batchnorm_sums_kernel(*(fused_batchnorm_pass *)pass);
}

static void deltas_kernel(void *pass) {
    batchnorm_deltas_kernel(*(fused_batchnorm_pass *)pass);
}

static void run_both(fused *f, void (*first)(void *), void (*second)(void *)) {
    int blocks = (int)(f->pass.channels * f->pass.split.parts);
    run_on_cpu(first, &f->pass, blocks, (int)f->pass.split.threads);
    run_on_cpu(second, &f->pass, blocks, (int)f->pass.split.threads);
}

static void forward(fused *f) {
    run_both(f, moments_kernel, outputs_kernel);
}

static void backward(fused *f) {
    run_both(f, sums_kernel, deltas_kernel);
}

/* ---- the same in double ---- */

typedef struct {
    double mean, squares, sum, product; /* of x; of d and d * normal */
} channel_sums;

static unsigned place_of(const fused *f, unsigned channel, unsigned value) {
    const fused_batchnorm_pass *p = &f->pass;
    return (value / p->pixels * p->channels + channel) * p->pixels + value % p->pixels;
}

static double variance_of(const fused *f, const channel_sums *s) {
    return s->squares / (f->pass.is_biased ? f->values : f->values - 1);
}

static double normal_in_double(const fused *f, const channel_sums *s, unsigned at) {
    return (f->x[at] - s->mean) / sqrt(variance_of(f, s) + .00001);
}

static double sum_in_double(const fused *f, const channel_sums *s, unsigned channel, unsigned at) {
    return normal_in_double(f, s, at) * f->scales[channel] + f->biases[channel];
}

static double activated_in_double(double x, activation_slope slope) {
    return x > 0 || slope == SLOPE_LINEAR ? x : (slope == SLOPE_LEAKY ? .1 * x : 0);
}

static channel_sums sums_of(const fused *f, unsigned channel) {
    channel_sums s = {0, 0, 0, 0};
    for (unsigned v = 0; v < f->values; v++)
        s.mean += f->x[place_of(f, channel, v)];
    s.mean /= f->values;
    for (unsigned v = 0; v < f->values; v++)
        s.squares += pow(f->x[place_of(f, channel, v)] - s.mean, 2);
    return s;
}

static double d_in_double(const fused *f, const channel_sums *s, const float *delta,
                          unsigned channel, unsigned at) {
    return delta[at] * slope_at((float)sum_in_double(f, s, channel, at), f->pass.slope);
}

static void add_gradient_sums(const fused *f, const float *delta, unsigned channel,
                              channel_sums *s) {
    for (unsigned v = 0; v < f->values; v++) {
        unsigned at = place_of(f, channel, v);
        double d = d_in_double(f, s, delta, channel, at);
        s->sum += d;
        s->product += d * normal_in_double(f, s, at);
    }
}

static double delta_in_double(const fused *f, const channel_sums *s, const float *delta,
                              unsigned channel, unsigned at) {
    return f->scales[channel] / sqrt(variance_of(f, s) + .00001) *
           (d_in_double(f, s, delta, channel, at) - s->sum / f->values -
            normal_in_double(f, s, at) * s->product / f->values);
}

static void expect_near(const char *what, double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s is %.9g, not %.9g", what, got, expected);
}

static const double ROUNDING = 1e-5;

static void expect_forward(const fused *f, const fused_batchnorm_pass *before) {
    const fused_batchnorm_pass *p = &f->pass;
    for (unsigned c = 0; c < p->channels; c++) {
        channel_sums s = sums_of(f, c);
        expect_near("mean", p->mean[c], s.mean, ROUNDING);
        expect_near("variance", p->variance[c], variance_of(f, &s), ROUNDING);
        expect_near("rolling mean", p->rolling_mean[c],
                    .99 * before->rolling_mean[c] + .01 * s.mean, ROUNDING);
        expect_near("rolling variance", p->rolling_variance[c],
                    .99 * before->rolling_variance[c] + .01 * s.squares / (f->values - 1),
                    ROUNDING);
        for (unsigned v = 0; v < f->values; v++) {
            unsigned at = place_of(f, c, v);
            double sum = sum_in_double(f, &s, c, at);
            expect_near("output", p->output[at], activated_in_double(sum, p->slope), ROUNDING);
        }
    }
}

static void expect_backward(const fused *f, const fused_batchnorm_pass *before) {
    const fused_batchnorm_pass *p = &f->pass;
    for (unsigned c = 0; c < p->channels; c++) {
        channel_sums s = sums_of(f, c);
        add_gradient_sums(f, before->delta, c, &s);
        expect_near("bias's update", p->bias_updates[c], before->bias_updates[c] + s.sum,
                    10 * ROUNDING);
        expect_near("scale's update", p->scale_updates[c], before->scale_updates[c] + s.product,
                    10 * ROUNDING);
        for (unsigned v = 0; v < f->values; v++) {
            unsigned at = place_of(f, c, v);
            double expected = delta_in_double(f, &s, before->delta, c, at);
            expect_near("delta", p->delta[at], expected, 10 * ROUNDING);
            if (p->input_delta)
                expect_near("input's delta", p->input_delta[at], before->input_delta[at] + expected,
                            10 * ROUNDING);
        }
    }
}

/* What the passes change, as it was; the caller frees it. */
static fused_batchnorm_pass note(const fused *f) {
    const fused_batchnorm_pass *p = &f->pass;
    return (fused_batchnorm_pass){.delta = copied(p->delta, f->count),
                                  .input_delta =
                                      p->input_delta ? copied(p->input_delta, f->count) : NULL,
                                  .scale_updates = copied(p->scale_updates, p->channels),
                                  .bias_updates = copied(p->bias_updates, p->channels),
                                  .rolling_mean = copied(p->rolling_mean, p->channels),
                                  .rolling_variance = copied(p->rolling_variance, p->channels)};
}

static void free_note(fused_batchnorm_pass *noted) {
    free(noted->delta);
    free(noted->input_delta);
    free(noted->scale_updates);
    free(noted->bias_updates);
    free(noted->rolling_mean);
    free(noted->rolling_variance);
}

static void compare_with_double(kind k, bool adds_to_input) {
    fused f = make_fused(k);
    if (adds_to_input)
        f.pass.input_delta = drawn(f.count);
    fused_batchnorm_pass before = note(&f);
    forward(&f);
    expect_forward(&f, &before);
    backward(&f);
    expect_backward(&f, &before);
    free_note(&before);
    free_fused(&f);
}

/* rows, channels, pixels, length, threads: uneven parts, one part, parts of one value, more parts
 * than threads, one channel, one pixel, one row. */
static const kind KINDS[] = {{.rows = 3, .channels = 4, .pixels = 6, .length = 5, .threads = 4},
                             {.rows = 1, .channels = 1, .pixels = 25, .length = 8, .threads = 8},
                             {.rows = 5, .channels = 3, .pixels = 1, .length = 2, .threads = 2},
                             {.rows = 2, .channels = 19, .pixels = 1, .length = 32, .threads = 8},
                             {.rows = 9, .channels = 1, .pixels = 1, .length = 1, .threads = 4},
                             {.rows = 1, .channels = 9, .pixels = 7, .length = 100, .threads = 8},
                             {.rows = 6, .channels = 2, .pixels = 50, .length = 37, .threads = 16},
                             {.rows = 2, .channels = 3, .pixels = 49, .length = 96, .threads = 64}};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

static void both_passes_are_those_in_double(void **state) {
    (void)state;
    srand(3);
    for (int i = 0; i < KIND_COUNT; i++)
        for (int variant = 0; variant < 6; variant++) {
            kind k = KINDS[i];
            k.slope = (activation_slope)(variant % 3);
            k.is_biased = variant >= 3;
            compare_with_double(k, variant == 1);
        }
}

/* Its distance from the mean is 0, and so is the variance, which stays a number. */
static void one_value_a_channel_is_its_bias(void **state) {
    (void)state;
    fused f = make_fused((kind){
        .rows = 1, .channels = 3, .pixels = 1, .length = 4, .threads = 4, .is_biased = true});
    fused_batchnorm_pass before = note(&f);
    forward(&f);
    for (unsigned c = 0; c < 3; c++) {
        assert_true(f.pass.output[c] == f.pass.biases[c]);
        expect_near("rolling variance", f.pass.rolling_variance[c],
                    .99 * before.rolling_variance[c], ROUNDING);
    }
    free_note(&before);
    free_fused(&f);
}

/* ---- the host's layer on the CPU ---- */

/* Where that adds .000001 to a deviation, it is .00001 to a variance on a GPU. */
static const double TWO_EPSILONS = 2e-4;

static void compare_with_host(kind k, ACTIVATION activation) {
    fused f = make_fused(k);
    layer l = make_batchnorm_layer((int)k.rows, (int)k.pixels, 1, (int)k.channels);
    network net = {.input = f.x, .train = 1};
    float *pairs[][2] = {{l.scales, f.scales},
                         {l.biases, f.biases},
                         {l.scale_updates, f.pass.scale_updates},
                         {l.bias_updates, f.pass.bias_updates},
                         {l.rolling_mean, f.pass.rolling_mean},
                         {l.rolling_variance, f.pass.rolling_variance}};
    enum { PAIRS = sizeof pairs / sizeof *pairs };
    for (int i = 0; i < PAIRS; i++)
        memcpy(pairs[i][0], pairs[i][1], k.channels * sizeof(float));
    memcpy(l.delta, f.pass.delta, f.count * sizeof(float));
    forward_batchnorm_layer(l, net);
    activate_array(l.output, (int)f.count, activation);
    gradient_array(l.output, (int)f.count, activation, l.delta);
    backward_batchnorm_layer(l, net);
    forward(&f);
    backward(&f);
    for (unsigned i = 0; i < f.count; i++) {
        expect_near("output", f.pass.output[i], l.output[i], TWO_EPSILONS);
        expect_near("delta", f.pass.delta[i], l.delta[i], TWO_EPSILONS);
    }
    for (int i = 0; i < PAIRS; i++)
        for (unsigned c = 0; c < k.channels; c++)
            expect_near("parameter or statistic", pairs[i][1][c], pairs[i][0][c], TWO_EPSILONS);
    free_fused(&f);
    free_layer(l);
}

static void both_passes_are_the_hosts(void **state) {
    (void)state;
    static const ACTIVATION activations[] = {[SLOPE_LINEAR] = LINEAR, RELU, LEAKY};
    srand(4);
    for (int slope = SLOPE_LINEAR; slope <= SLOPE_LEAKY; slope++) {
        kind k = {.rows = 6, .channels = 5, .pixels = 49, .length = 80, .threads = 16};
        k.slope = (activation_slope)slope;
        compare_with_host(k, activations[slope]);
    }
}

/* ---- finite differences ---- */

/* Of the outputs weighed by `weights`, by the kernels. */
static double loss(fused *f, const float *weights) {
    double sum = 0;
    forward(f);
    for (unsigned i = 0; i < f->count; i++)
        sum += (double)weights[i] * f->pass.output[i];
    return sum;
}

static void expect_difference(fused *f, const float *weights, float *value, double gradient) {
    static const float STEP = 4e-3f;
    float before = *value;
    *value = before + STEP;
    double above = loss(f, weights);
    *value = before - STEP;
    double below = loss(f, weights);
    *value = before;
    expect_near("gradient", gradient, (above - below) / (2 * STEP), 5e-3);
}

static void gradients_are_finite_differences(void **state) {
    (void)state;
    srand(5);
    for (int slope = SLOPE_LINEAR; slope <= SLOPE_LEAKY; slope++) {
        kind k = {.rows = 3, .channels = 2, .pixels = 7, .length = 9, .threads = 4};
        k.slope = (activation_slope)slope;
        k.is_biased = true; /* else the host takes n for n - 1 in the gradient, and so do we */
        fused f = make_fused(k);
        float *weights = copied(f.pass.delta, f.count);
        f.biases[0] = 3; /* of one channel no sum is near the edge of the activation */
        fused_batchnorm_pass before = note(&f);
        forward(&f);
        backward(&f);
        for (unsigned v = 0; v < f.values; v++) {
            unsigned at = place_of(&f, 0, v);
            expect_difference(&f, weights, &f.x[at], f.pass.delta[at]);
        }
        for (unsigned c = 0; c < k.channels; c++) {
            expect_difference(&f, weights, &f.scales[c],
                              f.pass.scale_updates[c] - before.scale_updates[c]);
            expect_difference(&f, weights, &f.biases[c],
                              f.pass.bias_updates[c] - before.bias_updates[c]);
        }
        free(weights);
        free_note(&before);
        free_fused(&f);
    }
}

/* ---- far from 0 ---- */

/* A difference of mean squares would be off by more than the whole variance. */
static void a_small_variance_far_from_0_is_kept(void **state) {
    (void)state;
    kind k = {.rows = 8, .channels = 2, .pixels = 300, .length = 500, .threads = 8};
    fused f = make_fused(k);
    srand(6);
    for (unsigned i = 0; i < f.count; i++)
        f.x[i] = 5000 + .1f * f.x[i];
    forward(&f);
    double ulp = 5000 * ldexp(1, -23);
    for (unsigned c = 0; c < k.channels; c++) {
        channel_sums s = sums_of(&f, c);
        double variance = variance_of(&f, &s);
        assert_true(fabs(f.pass.mean[c] - s.mean) <= 2 * ulp);
        assert_true(fabs(f.pass.variance[c] - variance) <= 1e-3 * variance);
        for (unsigned v = 0; v < f.values; v++) {
            unsigned at = place_of(&f, c, v);
            expect_near("output", f.pass.output[at], sum_in_double(&f, &s, c, at),
                        4 * ulp / sqrt(variance));
        }
    }
    free_fused(&f);
}

/* ---- again ---- */

static void the_same_bits_come_again(void **state) {
    (void)state;
    kind k = {.rows = 4, .channels = 3, .pixels = 101, .length = 64, .threads = 16};
    fused runs[2];
    k.slope = SLOPE_LEAKY;
    for (int i = 0; i < 2; i++) {
        srand(7);
        runs[i] = make_fused(k);
        forward(&runs[i]);
        backward(&runs[i]);
    }
    const fused_batchnorm_pass *a = &runs[0].pass, *b = &runs[1].pass;
    size_t all = runs[0].count * sizeof(float), channels = k.channels * sizeof(float);
    assert_memory_equal(a->output, b->output, all);
    assert_memory_equal(a->delta, b->delta, all);
    assert_memory_equal(a->mean, b->mean, channels);
    assert_memory_equal(a->rolling_variance, b->rolling_variance, channels);
    assert_memory_equal(a->scale_updates, b->scale_updates, channels);
    assert_memory_equal(a->bias_updates, b->bias_updates, channels);
    free_fused(&runs[0]);
    free_fused(&runs[1]);
}

/* ---- how a launch is shared out ---- */

static void expect_split(unsigned channels, unsigned values) {
    batchnorm_split s = split_channels(channels, values);
    assert_true((uint64_t)s.parts * s.length >= values);
    assert_true((uint64_t)(s.parts - 1) * s.length < values); /* no part is empty */
    assert_true((uint64_t)channels * s.parts <= most_batchnorm_parts(channels));
    assert_true(s.threads >= DLB_LEAST_THREADS && s.threads <= DLB_MOST_THREADS);
    assert_true((s.threads & (s.threads - 1)) == 0);
}

static void parts_fill_a_card_and_the_memory_is_enough(void **state) {
    (void)state;
    static const unsigned channels[] = {1, 2, 3, 16, 17, 64, 1000, 1024, 1025, 4096};
    static const unsigned values[] = {1, 2, 31, 196, 1023, 1024, 1025, 6272, 131072, 400000};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            expect_split(channels[i], values[k]);
    expect_split(1, 0x7fffffff);
    assert_true(16 * split_channels(16, 128 * 32 * 32).parts >= 1000);
    assert_true(64 * split_channels(64, 128 * 8 * 8).parts >= 500);
    assert_int_equal(split_channels(2048, 128 * 7 * 7).parts, 1);
    assert_int_equal(split_channels(10, 4).threads, DLB_LEAST_THREADS);
}

/* ---- what it does not go with ---- */

static void check(void *net) {
    check_fused_batchnorm(net, "my.cfg");
}

static void statistics_of_all_ranks_are_refused(void **state) {
    (void)state;
    struct shared_rows ranks = {.joins_statistics = false};
    network net = {.ranks = &ranks, .gpu_index = -1};
    check(&net);
    assert_null(make_fused_batchnorm(&net));
    ranks.joins_statistics = true;
    expect_fail(check, &net,
                "my.cfg: [net] fused_batchnorm=1 does not go with sync_bn=1 on several ranks");
}

int main(void) {
    gpu_index = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_passes_are_those_in_double),
        cmocka_unit_test(one_value_a_channel_is_its_bias),
        cmocka_unit_test(both_passes_are_the_hosts),
        cmocka_unit_test(gradients_are_finite_differences),
        cmocka_unit_test(a_small_variance_far_from_0_is_kept),
        cmocka_unit_test(the_same_bits_come_again),
        cmocka_unit_test(parts_fill_a_card_and_the_memory_is_enough),
        cmocka_unit_test(statistics_of_all_ranks_are_refused),
    };
    return cmocka_run_group_tests_name("fused_batchnorm", tests, NULL, NULL);
}
