#include "blocked_pool.h"

#include <float.h>
#include <string.h>

enum { NO_WINNER = 255 };

typedef struct {
    int height, width, out_height, out_width, size, stride, offset;
} pool_window;

/* The rows or columns of a window that lie in the picture. */
typedef struct {
    int first, end;
} pool_range;

static pool_range range_of(const pool_window *p, int out, int length) {
    int first = out * p->stride - p->offset, end = first + p->size;
    return (pool_range){first > 0 ? first : 0, end < length ? end : length};
}

/* The pixel's number in a plane. None of the three is negative: rows and columns outside of the
 * picture are skipped before. */
static inline size_t pixel(int row, int width, int column) {
    return (size_t)row * (size_t)width + (size_t)column;
}

typedef float float16 __attribute__((vector_size(64)));
typedef int int16 __attribute__((vector_size(64)));
typedef unsigned char byte16 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef int int8 __attribute__((vector_size(32)));
typedef unsigned char byte8 __attribute__((vector_size(8)));

#define LANES 16
#define VEC float16
#define IVEC int16
#define BYTES byte16
#define NAME(f) f##_16
#include "pool_kernels.inc"
#undef LANES
#undef VEC
#undef IVEC
#undef BYTES
#undef NAME

#define LANES 8
#define VEC float8
#define IVEC int8
#define BYTES byte8
#define NAME(f) f##_8
#include "pool_kernels.inc"
#undef LANES
#undef VEC
#undef IVEC
#undef BYTES
#undef NAME

static size_t plane_floats(blocked_shape s) {
    return pixel(s.height, s.width, 0) * (size_t)s.block;
}

static pool_window window(blocked_shape in, blocked_shape out, pooling p) {
    return (pool_window){in.height, in.width, out.height, out.width, p.size, p.stride, p.offset};
}

void blocked_maxpool(blocked_shape in, blocked_shape out, pooling p, const float *x, float *y,
                     unsigned char *winners) {
    int planes = in.batch * channel_blocks(in);
    size_t from = plane_floats(in), to = plane_floats(out);
    pool_window w = window(in, out, p);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++)
        if (in.block == 16)
            maxpool_16(w, x + from * (size_t)i, y + to * (size_t)i, winners + to * (size_t)i);
        else
            maxpool_8(w, x + from * (size_t)i, y + to * (size_t)i, winners + to * (size_t)i);
}

void blocked_maxpool_back(blocked_shape in, blocked_shape out, pooling p, const float *d,
                          const unsigned char *winners, float *dx) {
    int planes = in.batch * channel_blocks(in);
    size_t from = plane_floats(out), to = plane_floats(in);
    pool_window w = window(in, out, p);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++)
        if (in.block == 16)
            maxpool_back_16(w, d + from * (size_t)i, winners + from * (size_t)i,
                            dx + to * (size_t)i);
        else
            maxpool_back_8(w, d + from * (size_t)i, winners + from * (size_t)i,
                           dx + to * (size_t)i);
}

void blocked_window_average(blocked_shape in, blocked_shape out, pooling p, const float *x,
                            float *y) {
    int planes = in.batch * channel_blocks(in);
    size_t from = plane_floats(in), to = plane_floats(out);
    pool_window w = window(in, out, p);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++)
        if (in.block == 16)
            window_average_16(w, x + from * (size_t)i, y + to * (size_t)i);
        else
            window_average_8(w, x + from * (size_t)i, y + to * (size_t)i);
}

void blocked_window_average_back(blocked_shape in, blocked_shape out, pooling p, const float *d,
                                 float *dx) {
    int planes = in.batch * channel_blocks(in);
    size_t from = plane_floats(out), to = plane_floats(in);
    pool_window w = window(in, out, p);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++)
        if (in.block == 16)
            window_average_back_16(w, d + from * (size_t)i, dx + to * (size_t)i);
        else
            window_average_back_8(w, d + from * (size_t)i, dx + to * (size_t)i);
}

/* Channels of plane `i` that are no padding, and where the plane starts in a plain (batch,
 * channels) array. */
static int plane_channels(blocked_shape s, int i, size_t *plain) {
    int first = i % channel_blocks(s) * s.block, left = s.channels - first;
    *plain = (size_t)(i / channel_blocks(s)) * (size_t)s.channels + (size_t)first;
    return left < s.block ? left : s.block;
}

void blocked_average(blocked_shape in, const float *x, float *y) {
    int planes = in.batch * channel_blocks(in), positions = in.height * in.width;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++) {
        size_t plain;
        int channels = plane_channels(in, i, &plain);
        const float *plane = x + plane_floats(in) * (size_t)i;
        if (in.block == 16)
            average_16(positions, plane, channels, y + plain);
        else
            average_8(positions, plane, channels, y + plain);
    }
}

void blocked_average_back(blocked_shape in, const float *d, float *dx) {
    int planes = in.batch * channel_blocks(in), positions = in.height * in.width;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++) {
        size_t plain;
        int channels = plane_channels(in, i, &plain);
        float *plane = dx + plane_floats(in) * (size_t)i;
        if (in.block == 16)
            average_back_16(positions, d + plain, channels, plane);
        else
            average_back_8(positions, d + plain, channels, plane);
    }
}

/* Copies between every stride-th position of the wide plane and each of the narrow one. */
static void copy_strided(blocked_shape narrow, blocked_shape wide, int stride, const float *from,
                         float *to, int spread) {
    size_t block = (size_t)narrow.block;
    for (int row = 0; row < narrow.height; row++)
        for (int column = 0; column < narrow.width; column++) {
            size_t in = pixel(row, narrow.width, column) * block;
            size_t out = pixel(row * stride, wide.width, column * stride) * block;
            memcpy(to + (spread ? out : in), from + (spread ? in : out), block * sizeof *to);
        }
}

static void resample(blocked_shape from_shape, const float *from, blocked_shape to_shape,
                     int stride, float *to, int spread) {
    int planes = to_shape.batch * channel_blocks(to_shape);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < planes; i++) {
        int image = i / channel_blocks(to_shape), block = i % channel_blocks(to_shape);
        float *plane = to + plane_floats(to_shape) * (size_t)i;
        if (block >= channel_blocks(from_shape) || spread)
            memset(plane, 0, plane_floats(to_shape) * sizeof *plane);
        if (block >= channel_blocks(from_shape))
            continue;
        const float *source =
            from + plane_floats(from_shape) * (size_t)(image * channel_blocks(from_shape) + block);
        copy_strided(spread ? from_shape : to_shape, spread ? to_shape : from_shape, stride, source,
                     plane, spread);
    }
}

void blocked_sample(blocked_shape from_shape, const float *from, blocked_shape to_shape, int stride,
                    float *to) {
    resample(from_shape, from, to_shape, stride, to, 0);
}

void blocked_spread(blocked_shape from_shape, const float *from, blocked_shape to_shape, int stride,
                    float *to) {
    resample(from_shape, from, to_shape, stride, to, 1);
}
