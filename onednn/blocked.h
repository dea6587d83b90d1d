/* Passes over tensors in the library's blocked layout: image, block of channels, row, column,
 * channel within the block (nChw16c or nChw8c). Channels past the last are padding and stay 0.
 *
 * Every pass is split over OpenMP's threads; the sums do not depend on how many there are.
 * Arrays per channel hold blocks * block floats, aligned to 64 bytes, 0 for the padding; the
 * tensors are aligned alike. The caller owns all arrays; nothing is allocated here. */
#ifndef ONEDNN_BLOCKED_H
#define ONEDNN_BLOCKED_H

#include <stddef.h>

typedef struct {
    int batch, channels, height, width;
    int block; /* 16 or 8 */
} blocked_shape;

/* Blocks of channels, the last one padded. */
int channel_blocks(blocked_shape s);
/* Floats of the whole tensor, padding included. */
size_t blocked_floats(blocked_shape s);
/* Floats of the scratch that the passes with sums need. */
size_t partial_floats(blocked_shape s);

/* How a batch was normalized, and how its gradient goes back; arrays per channel. */
typedef struct {
    float *mean, *variance;
    float *scale, *shift;              /* y = act((x - mean) * scale + shift) */
    float *by_delta, *by_x, *constant; /* dx = d * by_delta + (x - mean) * by_x + constant */
    float *sum_delta, *sum_delta_x;    /* of d, and of d * (x - mean) */
} channel_stats;

/* st.mean, and st.variance with n - 1 below, as the host has it. */
void blocked_moments(blocked_shape s, const float *x, float *partial, channel_stats st);

/* y = act((x - mean) * scale + shift + residual). `residual` may be NULL; y may be x.
 * act multiplies what is not positive by `slope`: 1 linear, 0 relu, .1 leaky. */
void blocked_normalize(blocked_shape s, const float *x, channel_stats st, const float *residual,
                       float slope, float *y);

/* y = act(x) */
void blocked_activate(blocked_shape s, const float *x, float slope, float *y);

/* y = act(x + other) */
void blocked_add(blocked_shape s, const float *x, const float *other, float slope, float *y);

/* The gradient at act's input and its sums st.sum_delta and st.sum_delta_x (overwritten):
 *     g = (d + more) * act'
 * more  NULL or a second part of the gradient
 * x     NULL (then no st.sum_delta_x) or what was normalized
 * y     the output of act, or NULL: then its sign comes from normalizing x again
 * g     NULL or where to store g; may be d or more */
void blocked_gradient(blocked_shape s, const float *d, const float *more, const float *x,
                      const float *y, float slope, float *partial, channel_stats st, float *g);

/* dx = d' * by_delta + (x - mean) * by_x + constant, d' = masked ? d * act' : d; dx may be d. */
void blocked_input_gradient(blocked_shape s, const float *d, const float *x, channel_stats st,
                            float slope, int masked, float *dx);

/* Between the host's plain layout (batch, channels, height, width) and the blocked one. */
void blocked_from_plain(blocked_shape s, const float *plain, float *blocked);
void blocked_to_plain(blocked_shape s, const float *blocked, float *plain);
void blocked_add_to_plain(blocked_shape s, const float *blocked, float *plain);

#endif
