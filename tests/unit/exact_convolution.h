/* Exact convolutions, and a bound on how far those in 16 bits may be off. Include it after
 * small_network.h and cmocka.h. */
#ifndef EXACT_CONVOLUTION_H
#define EXACT_CONVOLUTION_H

#include "half_float.h"

#include <math.h>
#include <stdlib.h>

/* ---- exact convolutions ---- */

/* Sums of products of two factors. */
typedef struct {
    size_t count;
    double *exact; /* (count) */
    double *sizes; /* (count): sums of the products' absolute values */
    int *terms;    /* (count) */
} sums;

/* A convolution and what goes into it, all between -1 and 1. */
typedef struct {
    int batch, c, h, w, n, size, stride, pad, out_h, out_w;
    float *x, *weights, *dy;
    sums y, dw, dx;
} convolution;

static sums make_sums(int count) {
    sums s = {(size_t)count, calloc((size_t)count, sizeof(double)),
              calloc((size_t)count, sizeof(double)), calloc((size_t)count, sizeof(int))};
    return s;
}

static void free_sums(sums *s) {
    free(s->exact);
    free(s->sizes);
    free(s->terms);
}

static void add_product(sums *s, int at, float a, float b) {
    double product = (double)a * b;
    s->exact[at] += product;
    s->sizes[at] += fabs(product);
    s->terms[at]++;
}

/* One output's products with one channel of its window. */
static void add_window(convolution *k, int image, int filter, int channel, int row, int column) {
    int out = ((image * k->n + filter) * k->out_h + row) * k->out_w + column;
    for (int i = 0; i < k->size * k->size; i++) {
        int y = row * k->stride - k->pad + i / k->size,
            x = column * k->stride - k->pad + i % k->size;
        if (y < 0 || y >= k->h || x < 0 || x >= k->w)
            continue;
        int in = ((image * k->c + channel) * k->h + y) * k->w + x;
        int weight = (filter * k->c + channel) * k->size * k->size + i;
        add_product(&k->y, out, k->x[in], k->weights[weight]);
        add_product(&k->dw, weight, k->x[in], k->dy[out]);
        add_product(&k->dx, in, k->weights[weight], k->dy[out]);
    }
}

static void compute_exactly(convolution *k) {
    for (int image = 0; image < k->batch; image++)
        for (int filter = 0; filter < k->n; filter++)
            for (int channel = 0; channel < k->c; channel++)
                for (int at = 0; at < k->out_h * k->out_w; at++)
                    add_window(k, image, filter, channel, at / k->out_w, at % k->out_w);
}

static float *drawn_floats(int count) {
    float *floats = calloc((size_t)count, sizeof *floats);
    draw_floats(floats, count);
    return floats;
}

static convolution make_convolution(int batch, int side, int c, int n, int size, int stride) {
    convolution k = {batch, c, side, side, n, size, stride, size / 2};
    k.out_h = k.out_w = (side + 2 * k.pad - size) / stride + 1;
    srand(5);
    k.x = drawn_floats(batch * c * side * side);
    k.weights = drawn_floats(n * c * size * size);
    k.dy = drawn_floats(batch * n * k.out_h * k.out_w);
    k.y = make_sums(batch * n * k.out_h * k.out_w);
    k.dw = make_sums(n * c * size * size);
    k.dx = make_sums(batch * c * side * side);
    compute_exactly(&k);
    return k;
}

static void free_convolution(convolution *k) {
    free(k->x);
    free(k->weights);
    free(k->dy);
    free_sums(&k->y);
    free_sums(&k->dw);
    free_sums(&k->dx);
}

/* ---- the bound ---- */

/* How far a sum of products may be off. With u half the distance of 1 and the next number of 16
 * bits, and t that of the smallest numbers above 0, a factor a becomes one within u |a| + t. For
 * factors up to 1 a product is then off by at most (2 u + u^2) of its size, and 3 t. The sum of
 * `terms` of them in float32, cut off and not rounded, as tensor cores may do it, in any order, by
 * terms 2^-23 / (1 - terms 2^-23) of the sum of their sizes; and rounding it to 16 bits by u and t
 * again. For NHWC cuDNN's tables list direct sums alone, none by Winograd or Fourier. `before`,
 * what it is added to in float32, costs 2^-24 of the result. */
static double bound_of(double exact, double size, int terms, float before, half_type type) {
    double u = type == HALF_FLOAT16 ? 0x1p-11 : 0x1p-8;
    double t = type == HALF_FLOAT16 ? 0x1p-25 : 0x1p-134;
    double gamma = terms * 0x1p-23 / (1 - terms * 0x1p-23);
    double rounded = (2 * u + u * u) * size + 3 * terms * t;
    double off = rounded + gamma * (size + rounded);
    off += u * (fabs(exact) + off) + t;
    return off + 0x1p-24 * (fabs(before + exact) + off);
}

/* The part of the bound that the worst sum takes; more than 1: it does not hold. `before` may be
 * NULL. */
static double worst_of(const sums *s, const float *got, const float *before, half_type type) {
    double worst = 0;
    for (size_t i = 0; i < s->count; i++) {
        float start = before ? before[i] : 0;
        double bound = bound_of(s->exact[i], s->sizes[i], s->terms[i], start, type);
        double part = fabs(got[i] - (start + s->exact[i])) / bound;
        if (!(part <= worst))
            worst = isnan(part) ? INFINITY : part;
    }
    return worst;
}

__attribute__((unused)) static void expect_within(const char *what, const sums *s, const float *got,
                                                  const float *before, half_type type) {
    double worst = worst_of(s, got, before, type);
    if (worst > 1)
        fail_msg("%s: off by %.3g times what roundings can do", what, worst);
}

#endif
