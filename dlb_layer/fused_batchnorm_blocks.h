/* The kernels of fused_batchnorm_kernels.h, in the part of CUDA that is C too; see dlb_block.h. A
 * block goes over a part of a channel; see batchnorm_split.h. The first kernel of a pass sums up
 * parts; in the second each block merges those of its channel, all of them to the same bits, so
 * that no launch in between is needed. Nothing is atomic, and every order is fixed. */
#ifndef FUSED_BATCHNORM_BLOCKS_H
#define FUSED_BATCHNORM_BLOCKS_H

#include "batchnorm_kernels.h" /* BATCHNORM_EPSILON */
#include "channel_walk.h"
#include "dlb_block.h"
#include "fused_batchnorm_kernels.h"

/* ---- parts ---- */

static __device__ unsigned channel_of_block(const fused_batchnorm_pass *p) {
    return blockIdx.x / p->split.parts;
}

/* Whether the block is the one of its channel that writes what the channel has once. */
static __device__ bool is_first_part(const fused_batchnorm_pass *p) {
    return blockIdx.x % p->split.parts == 0;
}

static __device__ unsigned end_of_part(const fused_batchnorm_pass *p, unsigned part) {
    unsigned values = p->rows * p->pixels, end = (part + 1) * p->split.length;
    return end < values ? end : values;
}

static __device__ channel_walk walk_part(const fused_batchnorm_pass *p) {
    unsigned part = blockIdx.x % p->split.parts;
    return walk_channel(p->channels, p->pixels, channel_of_block(p), part * p->split.length,
                        end_of_part(p, part));
}

/* ---- mean and variance ---- */

typedef struct {
    unsigned count;
    float mean, squares; /* sum of (x - mean)^2 */
} moments;

/* Welford's step: no difference of large sums, however far from 0 the mean is. */
static __device__ void add_value(moments *m, float x) {
    float distance = x - m->mean;
    m->count++;
    m->mean += distance / (float)m->count;
    m->squares += distance * (x - m->mean);
}

/* Of both together; Chan, Golub and LeVeque's formula. */
static __device__ moments merge(moments a, moments b) {
    if (a.count == 0 || b.count == 0)
        return a.count ? a : b;
    float distance = b.mean - a.mean, share = (float)b.count / (float)(a.count + b.count);
    a.mean += distance * share;
    a.squares += b.squares + distance * distance * share * (float)a.count;
    a.count += b.count;
    return a;
}

/* Those of a block's threads. */
typedef struct {
    unsigned counts[DLB_MOST_THREADS];
    float means[DLB_MOST_THREADS], squares[DLB_MOST_THREADS];
} shared_moments;

static __device__ void put_moments(shared_moments *s, unsigned thread, moments m) {
    s->counts[thread] = m.count;
    s->means[thread] = m.mean;
    s->squares[thread] = m.squares;
}

static __device__ moments moments_of(const shared_moments *s, unsigned thread) {
    moments m = {s->counts[thread], s->means[thread], s->squares[thread]};
    return m;
}

/* Of all threads of the block, which all get the result. scratch is shared by the block. */
static __device__ moments merge_threads(shared_moments *scratch, moments of_thread) {
    unsigned thread = threadIdx.x;
    put_moments(scratch, thread, of_thread);
    __syncthreads(); /* or a thread would merge what its partner has not written yet */
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (thread < half)
            put_moments(scratch, thread,
                        merge(moments_of(scratch, thread), moments_of(scratch, thread + half)));
        __syncthreads(); /* the same for the results of this round */
    }
    return moments_of(scratch, 0);
}

static __device__ moments merge_parts(const fused_batchnorm_pass *p, shared_moments *scratch) {
    const batchnorm_part *parts = p->parts + channel_of_block(p) * p->split.parts;
    moments m = {0, 0, 0};
    for (unsigned part = threadIdx.x; part < p->split.parts; part += blockDim.x) {
        unsigned count = end_of_part(p, part) - part * p->split.length;
        moments next = {count, parts[part].first, parts[part].second};
        m = merge(m, next);
    }
    return merge_threads(scratch, m);
}

/* A block a part. */
static __global__ void batchnorm_moments_kernel(fused_batchnorm_pass p) {
    __shared__ shared_moments scratch;
    moments m = {0, 0, 0};
    for (channel_walk w = walk_part(&p); w.value < w.end; walk_on(&w))
        add_value(&m, p.x[w.at]);
    m = merge_threads(&scratch, m);
    if (threadIdx.x == 0) {
        p.parts[blockIdx.x].first = m.mean;
        p.parts[blockIdx.x].second = m.squares;
    }
}

/* ---- normalising ---- */

/* What turns values of a channel into outputs. */
typedef struct {
    float mean, inverse; /* 1 / sqrt(variance + epsilon) */
    float scale, bias;
} normaliser;

static __device__ normaliser normaliser_of(const fused_batchnorm_pass *p, unsigned channel,
                                           float mean, float variance) {
    normaliser n = {mean, 1.f / sqrtf(variance + BATCHNORM_EPSILON), p->scales[channel],
                    p->biases[channel]};
    return n;
}

static __device__ float normal_of(const normaliser *n, float x) {
    return (x - n->mean) * n->inverse;
}

/* Before the activation. One rounding wherever it is computed: the backward pass asks on which side
 * of 0 it was, and has not to read the output for that. */
static __device__ float sum_of(const normaliser *n, float normal) {
    return fmaf(normal, n->scale, n->bias);
}

/* The rolling variance is that over n - 1 values; of one value alone, with cuDNN's, that over n. */
static __device__ void keep_statistics(const fused_batchnorm_pass *p, unsigned channel,
                                       const moments *m, float variance) {
    float unbiased = m->count > 1 || !p->is_biased ? m->squares / (float)(m->count - 1) : variance;
    p->mean[channel] = m->mean;
    p->variance[channel] = variance;
    p->rolling_mean[channel] = .99f * p->rolling_mean[channel] + .01f * m->mean;
    p->rolling_variance[channel] = .99f * p->rolling_variance[channel] + .01f * unbiased;
}

/* After batchnorm_moments_kernel(); a block a part. */
static __global__ void batchnorm_outputs_kernel(fused_batchnorm_pass p) {
    __shared__ shared_moments scratch;
    unsigned channel = channel_of_block(&p);
    moments m = merge_parts(&p, &scratch);
    float variance = m.squares / (float)(p.is_biased ? m.count : m.count - 1);
    normaliser n = normaliser_of(&p, channel, m.mean, variance);
    if (is_first_part(&p) && threadIdx.x == 0)
        keep_statistics(&p, channel, &m, variance);
    for (channel_walk w = walk_part(&p); w.value < w.end; walk_on(&w))
        p.output[w.at] = activated(sum_of(&n, normal_of(&n, p.x[w.at])), p.slope);
}

/* ---- the backward pass ---- */

/* Of one value. */
typedef struct {
    float normal, d;
} batchnorm_gradient;

static __device__ batchnorm_gradient gradient_at(const fused_batchnorm_pass *p, const normaliser *n,
                                                 unsigned at) {
    float normal = normal_of(n, p->x[at]);
    batchnorm_gradient g = {normal, p->delta[at] * slope_at(sum_of(n, normal), p->slope)};
    return g;
}

/* A block a part. */
static __global__ void batchnorm_sums_kernel(fused_batchnorm_pass p) {
    __shared__ double scratch[DLB_MOST_THREADS];
    unsigned channel = channel_of_block(&p);
    normaliser n = normaliser_of(&p, channel, p.mean[channel], p.variance[channel]);
    float first = 0, second = 0;
    for (channel_walk w = walk_part(&p); w.value < w.end; walk_on(&w)) {
        batchnorm_gradient g = gradient_at(&p, &n, w.at);
        first += g.d;
        second += g.d * g.normal;
    }
    first = (float)dlb_block_sum(scratch, first);
    second = (float)dlb_block_sum(scratch, second);
    if (threadIdx.x == 0) {
        p.parts[blockIdx.x].first = first;
        p.parts[blockIdx.x].second = second;
    }
}

/* Of all parts of the block's channel. */
static __device__ batchnorm_part add_up_parts(const fused_batchnorm_pass *p, double *scratch) {
    const batchnorm_part *parts = p->parts + channel_of_block(p) * p->split.parts;
    float first = 0, second = 0;
    for (unsigned part = threadIdx.x; part < p->split.parts; part += blockDim.x) {
        first += parts[part].first;
        second += parts[part].second;
    }
    batchnorm_part sums;
    sums.first = (float)dlb_block_sum(scratch, first);
    sums.second = (float)dlb_block_sum(scratch, second);
    return sums;
}

/* After batchnorm_sums_kernel(); a block a part. */
static __global__ void batchnorm_deltas_kernel(fused_batchnorm_pass p) {
    __shared__ double scratch[DLB_MOST_THREADS];
    unsigned channel = channel_of_block(&p);
    normaliser n = normaliser_of(&p, channel, p.mean[channel], p.variance[channel]);
    batchnorm_part sums = add_up_parts(&p, scratch);
    float values = (float)(p.rows * p.pixels), factor = n.scale * n.inverse;
    float mean = sums.first / values, mean_of_product = sums.second / values;
    if (is_first_part(&p) && threadIdx.x == 0) {
        p.bias_updates[channel] += sums.first;
        p.scale_updates[channel] += sums.second;
    }
    for (channel_walk w = walk_part(&p); w.value < w.end; walk_on(&w)) {
        batchnorm_gradient g = gradient_at(&p, &n, w.at);
        float delta = factor * (g.d - mean - g.normal * mean_of_product);
        p.delta[w.at] = delta;
        if (p.input_delta)
            p.input_delta[w.at] += delta;
    }
}

#endif
