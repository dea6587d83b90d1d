/* How the threads of a block go over values of one channel of an array (rows, channels, pixels):
 * value v of a channel is pixel v % pixels of row v / pixels. In the part of CUDA that is C too;
 * see dlb_block.h. */
#ifndef CHANNEL_WALK_H
#define CHANNEL_WALK_H

/* A thread's way, `step` values at a time, without a division each. */
typedef struct {
    unsigned value, end; /* of the channel; done where value >= end */
    unsigned at;         /* its place in the array */
    unsigned pixel, pixels;
    unsigned step, step_at, step_pixels, to_next_row;
} channel_walk;

/* Over the channel's values `from` to before `end`, the thread's own share of them. */
static inline __device__ channel_walk walk_channel(unsigned channels, unsigned pixels,
                                                   unsigned channel, unsigned from, unsigned end) {
    channel_walk w;
    w.value = from + threadIdx.x;
    w.end = end;
    w.pixel = w.value % pixels;
    w.pixels = pixels;
    w.at = (w.value / pixels * channels + channel) * pixels + w.pixel;
    w.step = blockDim.x;
    w.step_pixels = w.step % pixels;
    w.step_at = w.step / pixels * channels * pixels + w.step_pixels;
    w.to_next_row = (channels - 1) * pixels;
    return w;
}

static inline __device__ void walk_on(channel_walk *w) {
    w->value += w->step;
    w->at += w->step_at;
    w->pixel += w->step_pixels;
    if (w->pixel >= w->pixels) {
        w->pixel -= w->pixels;
        w->at += w->to_next_row;
    }
}

#endif
