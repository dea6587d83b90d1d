/* Pooling, and the host's strided shortcut, over tensors in the blocked layout of blocked.h.
 * Split over OpenMP's threads; the caller owns all arrays. */
#ifndef ONEDNN_BLOCKED_POOL_H
#define ONEDNN_BLOCKED_POOL_H

#include "blocked.h"

enum { LARGEST_WINDOW = 15 /* a winner's place in its window is kept in a byte */ };

typedef struct {
    int size, stride;
    int offset; /* rows and columns of padding above and left */
} pooling;

/* y = the most of each window, the first of equals, as the host takes it. `in` and `out` differ
 * in height and width. winners: a byte for each float of y, for the way back. */
void blocked_maxpool(blocked_shape in, blocked_shape out, pooling p, const float *x, float *y,
                     unsigned char *winners);
/* dx is overwritten */
void blocked_maxpool_back(blocked_shape in, blocked_shape out, pooling p, const float *d,
                          const unsigned char *winners, float *dx);

/* y = the average of each window, of its pixels that lie in the picture; `in` and `out` differ in
 * height and width. */
void blocked_window_average(blocked_shape in, blocked_shape out, pooling p, const float *x,
                            float *y);
/* dx is overwritten */
void blocked_window_average_back(blocked_shape in, blocked_shape out, pooling p, const float *d,
                                 float *dx);

/* y is plain, (batch, channels); x blocked */
void blocked_average(blocked_shape in, const float *x, float *y);
/* d is plain, dx blocked and overwritten */
void blocked_average_back(blocked_shape in, const float *d, float *dx);

/* to = every stride-th row and column of `from`, 0 for channels that `from` lacks. */
void blocked_sample(blocked_shape from_shape, const float *from, blocked_shape to_shape, int stride,
                    float *to);
/* The other way: to = `from` on every stride-th row and column and 0 between them. */
void blocked_spread(blocked_shape from_shape, const float *from, blocked_shape to_shape, int stride,
                    float *to);

#endif
