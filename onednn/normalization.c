#include "normalization.h"

#include "shared_network.h"

#include <math.h>

enum { CHANNEL_ARRAYS = 9 };
static const float FORWARD_EPSILON = .000001f;
static const float BACKWARD_EPSILON = .00001f;
static const float KEEP = .99f; /* of the rolling statistics, each batch */
static const float TAKE = .01f;

void make_channel_stats(cpu_backend *b, int channels) {
    size_t padded = ((size_t)channels + 15) / 16 * 16;
    float *at = aligned_floats(padded * CHANNEL_ARRAYS);
    channel_stats *st = &b->stats;
    float **arrays[CHANNEL_ARRAYS] = {&st->mean,     &st->variance,  &st->scale,
                                      &st->shift,    &st->by_delta,  &st->by_x,
                                      &st->constant, &st->sum_delta, &st->sum_delta_x};
    b->stats_memory = at;
    for (int i = 0; i < CHANNEL_ARRAYS; i++, at += padded)
        *arrays[i] = at;
}

/* ---- forward ---- */

static void roll_statistics(layer l) {
    const channel_stats *st = &l.cpu->stats;
    for (int i = 0; i < l.out_c; i++) {
        l.mean[i] = st->mean[i];
        l.variance[i] = st->variance[i];
        l.rolling_mean[i] = KEEP * l.rolling_mean[i] + TAKE * st->mean[i];
        l.rolling_variance[i] = KEEP * l.rolling_variance[i] + TAKE * st->variance[i];
    }
}

void find_statistics(layer l, network net, const float *x) {
    cpu_backend *b = l.cpu;
    channel_stats *st = &b->stats;
    if (net.train) {
        blocked_moments(b->out, x, partial_sums(b->net, b->out), *st);
        join_statistics(&net, l.out_c, l.batch * l.out_h * l.out_w, st->mean, st->variance);
        roll_statistics(l);
    }
    for (int i = 0; i < l.out_c; i++) {
        if (!net.train) {
            st->mean[i] = l.rolling_mean[i];
            st->variance[i] = l.rolling_variance[i];
        }
        st->scale[i] = l.scales[i] / (sqrtf(st->variance[i]) + FORWARD_EPSILON);
        st->shift[i] = l.biases[i];
    }
}

/* ---- backward ---- */

/* Gradients of biases and scales, and what takes the gradient through the normalization. */
static void go_back_through_statistics(layer l, network net) {
    channel_stats *st = &l.cpu->stats;
    float count = (float)l.batch * (float)(l.out_h * l.out_w);
    for (int i = 0; i < l.out_c; i++) {
        l.bias_updates[i] += st->sum_delta[i];
        l.scale_updates[i] += st->sum_delta_x[i] / (sqrtf(st->variance[i]) + FORWARD_EPSILON);
    }
    join_gradient_sums(&net, l.out_c, st->sum_delta, st->sum_delta_x);
    for (int i = 0; i < l.out_c; i++) {
        float under = st->variance[i] + BACKWARD_EPSILON;
        float by = l.scales[i] / sqrtf(under);
        st->by_delta[i] = by;
        st->by_x[i] = -by / under * st->sum_delta_x[i] / count;
        st->constant[i] = -by * st->sum_delta[i] / count;
    }
}

pool_buffer *back_normalized(layer l, network net, const float *x, float slope, pool_buffer *delta,
                             pool_buffer *more) {
    cpu_backend *b = l.cpu;
    size_t floats = blocked_floats(b->out);
    int masked = 0;
    if (!b->summed && more) {
        pool_buffer *sum = buffer_to_overwrite(b->net, delta, floats);
        blocked_gradient(b->out, delta->data, more->data, x, NULL, slope,
                         partial_sums(b->net, b->out), b->stats, sum->data);
        pool_drop(delta);
        pool_drop(more);
        delta = sum;
    } else if (!b->summed) {
        blocked_gradient(b->out, delta->data, NULL, x, NULL, slope, partial_sums(b->net, b->out),
                         b->stats, NULL);
        masked = slope != 1;
    }
    go_back_through_statistics(l, net);
    pool_buffer *result = buffer_to_overwrite(b->net, delta, floats);
    blocked_input_gradient(b->out, delta->data, x, b->stats, slope, masked, result->data);
    pool_drop(delta);
    return result;
}
