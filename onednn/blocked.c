#include "blocked.h"

#include <string.h>

enum {
    CHUNK = 256 /* positions; 16 KB at 16 channels, so that a chunk stays in the first cache */
};

typedef float float16 __attribute__((vector_size(64)));
typedef int int16 __attribute__((vector_size(64)));
typedef float float8 __attribute__((vector_size(32)));
typedef int int8 __attribute__((vector_size(32)));

#define LANES 16
#define VEC float16
#define IVEC int16
#define NAME(f) f##_16
#include "chunk_kernels.inc"
#undef LANES
#undef VEC
#undef IVEC
#undef NAME

#define LANES 8
#define VEC float8
#define IVEC int8
#define NAME(f) f##_8
#include "chunk_kernels.inc"
#undef LANES
#undef VEC
#undef IVEC
#undef NAME

int channel_blocks(blocked_shape s) {
    return (s.channels + s.block - 1) / s.block;
}

static int positions(blocked_shape s) {
    return s.height * s.width;
}

size_t blocked_floats(blocked_shape s) {
    return (size_t)s.batch * (size_t)channel_blocks(s) * (size_t)s.block * (size_t)positions(s);
}

/* ---- chunks ---- */

static int chunks_of_plane(blocked_shape s) {
    return (positions(s) + CHUNK - 1) / CHUNK;
}

static int chunk_count(blocked_shape s) {
    return s.batch * channel_blocks(s) * chunks_of_plane(s);
}

size_t partial_floats(blocked_shape s) {
    return (size_t)chunk_count(s) * 2 * (size_t)s.block;
}

typedef struct {
    size_t at;   /* first float in the tensor */
    int channel; /* first channel */
    int count;   /* positions */
} chunk;

static chunk chunk_at(blocked_shape s, int index) {
    int of_plane = chunks_of_plane(s);
    int plane = index / of_plane, first = index % of_plane * CHUNK;
    int left = positions(s) - first;
    return (chunk){.at = ((size_t)plane * (size_t)positions(s) + (size_t)first) * (size_t)s.block,
                   .channel = plane % channel_blocks(s) * s.block,
                   .count = left < CHUNK ? left : CHUNK};
}

/* Runs kernel_16(...) or kernel_8(...) on each chunk `c`, chunks shared out over the threads. */
#define FOR_CHUNKS(s, kernel, ...)                                                                 \
    do {                                                                                           \
        int chunks = chunk_count(s);                                                               \
        _Pragma("omp parallel for schedule(static)") for (int i = 0; i < chunks; i++) {            \
            chunk c = chunk_at(s, i);                                                              \
            if (s.block == 16)                                                                     \
                kernel##_16(__VA_ARGS__);                                                          \
            else                                                                                   \
                kernel##_8(__VA_ARGS__);                                                           \
        }                                                                                          \
    } while (0)

#define PER_CHANNEL(array) ((array) + c.channel)
#define FIRST_SUM (partial + (size_t)i * 2 * (size_t)s.block)
#define SECOND_SUM (FIRST_SUM + s.block)
#define AT(tensor) ((tensor) + c.at)
#define AT_IF_ANY(tensor) ((tensor) ? AT(tensor) : NULL)

/* ---- sums over chunks ---- */

/* partial is (batch, blocks, chunks of a plane, 2, block) */
static const float *partial_at(blocked_shape s, const float *partial, int image, int channel,
                               int piece) {
    int plane = image * channel_blocks(s) + channel / s.block;
    int index = plane * chunks_of_plane(s) + piece;
    return partial + (size_t)index * 2 * (size_t)s.block + channel % s.block;
}

static int piece_positions(blocked_shape s, int piece) {
    int left = positions(s) - piece * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

static void combine_moments(blocked_shape s, const float *partial, int channel, float *mean,
                            float *variance) {
    double sum = 0, squares = 0, n = (double)s.batch * positions(s);
    for (int image = 0; image < s.batch; image++)
        for (int piece = 0; piece < chunks_of_plane(s); piece++)
            sum += *partial_at(s, partial, image, channel, piece);
    for (int image = 0; image < s.batch; image++)
        for (int piece = 0; piece < chunks_of_plane(s); piece++) {
            const float *part = partial_at(s, partial, image, channel, piece);
            double count = piece_positions(s, piece), off = part[0] / count - sum / n;
            squares += part[s.block] + count * off * off;
        }
    *mean = (float)(sum / n);
    *variance = (float)(squares / (n - 1));
}

void blocked_moments(blocked_shape s, const float *x, float *partial, channel_stats st) {
    FOR_CHUNKS(s, moments, AT(x), c.count, FIRST_SUM, SECOND_SUM);
#pragma omp parallel for schedule(static)
    for (int channel = 0; channel < s.channels; channel++)
        combine_moments(s, partial, channel, st.mean + channel, st.variance + channel);
}

static void combine_sums(blocked_shape s, const float *partial, int channel, float *first,
                         float *second) {
    double a = 0, b = 0;
    for (int image = 0; image < s.batch; image++)
        for (int piece = 0; piece < chunks_of_plane(s); piece++) {
            const float *part = partial_at(s, partial, image, channel, piece);
            a += part[0];
            b += part[s.block];
        }
    *first = (float)a;
    *second = (float)b;
}

/* ---- passes ---- */

void blocked_normalize(blocked_shape s, const float *x, channel_stats st, const float *residual,
                       float slope, float *y) {
    FOR_CHUNKS(s, normalize, AT(x), c.count, PER_CHANNEL(st.mean), PER_CHANNEL(st.scale),
               PER_CHANNEL(st.shift), AT_IF_ANY(residual), slope, AT(y));
}

void blocked_activate(blocked_shape s, const float *x, float slope, float *y) {
    FOR_CHUNKS(s, activate, AT(x), c.count, slope, AT(y));
}

void blocked_add(blocked_shape s, const float *x, const float *other, float slope, float *y) {
    FOR_CHUNKS(s, add, AT(x), AT(other), c.count, slope, AT(y));
}

void blocked_gradient(blocked_shape s, const float *d, const float *more, const float *x,
                      const float *y, float slope, float *partial, channel_stats st, float *g) {
    FOR_CHUNKS(s, gradient, AT(d), AT_IF_ANY(more), AT_IF_ANY(x), AT_IF_ANY(y), c.count,
               PER_CHANNEL(st.mean), PER_CHANNEL(st.scale), PER_CHANNEL(st.shift), slope,
               AT_IF_ANY(g), FIRST_SUM, SECOND_SUM);
#pragma omp parallel for schedule(static)
    for (int channel = 0; channel < s.channels; channel++)
        combine_sums(s, partial, channel, st.sum_delta + channel, st.sum_delta_x + channel);
}

void blocked_input_gradient(blocked_shape s, const float *d, const float *x, channel_stats st,
                            float slope, int masked, float *dx) {
    FOR_CHUNKS(s, input_gradient, AT(d), AT(x), c.count, PER_CHANNEL(st.mean),
               PER_CHANNEL(st.scale), PER_CHANNEL(st.shift), slope, masked,
               PER_CHANNEL(st.by_delta), PER_CHANNEL(st.by_x), PER_CHANNEL(st.constant), AT(dx));
}

/* ---- to and from the host's layout ---- */

static void move_plane(blocked_shape s, int plane, const float *from, float *to, int to_blocked,
                       int add) {
    int image = plane / channel_blocks(s), first = plane % channel_blocks(s) * s.block;
    size_t size = (size_t)positions(s), block = (size_t)s.block;
    size_t blocked = (size_t)plane * size * block;
    for (int lane = 0; lane < s.block; lane++) {
        int channel = first + lane;
        size_t plain = ((size_t)image * (size_t)s.channels + (size_t)channel) * size;
        for (size_t i = 0; i < size; i++) {
            size_t at = blocked + i * block + (size_t)lane;
            if (to_blocked)
                to[at] = channel < s.channels ? from[plain + i] : 0;
            else if (channel < s.channels)
                to[plain + i] = add ? to[plain + i] + from[at] : from[at];
        }
    }
}

static void move_all(blocked_shape s, const float *from, float *to, int to_blocked, int add) {
    int planes = s.batch * channel_blocks(s);
#pragma omp parallel for schedule(static)
    for (int plane = 0; plane < planes; plane++)
        move_plane(s, plane, from, to, to_blocked, add);
}

void blocked_from_plain(blocked_shape s, const float *plain, float *blocked) {
    move_all(s, plain, blocked, 1, 0);
}

void blocked_to_plain(blocked_shape s, const float *blocked, float *plain) {
    move_all(s, blocked, plain, 0, 0);
}

void blocked_add_to_plain(blocked_shape s, const float *blocked, float *plain) {
    move_all(s, blocked, plain, 0, 1);
}
