/* From NCHW float32, the host's layout, to NHWC of 16 bits, which tensor cores take, and back: what
 * the kernels take, and how they are launched. */
#ifndef HALF_KERNELS_H
#define HALF_KERNELS_H

#include "half_float.h"

#include <stdbool.h>
#include <stddef.h>

/* Tensor cores want channels, and filters, in multiples of so many. */
enum { HALF_CHANNELS = 8 };

/* That multiple at or above `channels`. */
static inline int half_channels(int channels) {
    return (channels + HALF_CHANNELS - 1) / HALF_CHANNELS * HALF_CHANNELS;
}

/* `maps` are the images of a batch, or the filters of a layer's weights, whose "pixels" are the
 * kernel's. What is padding, `maps` to `half_maps` and `channels` to `half_channels`, is 0 in the
 * halves and left out of the floats. */
typedef struct {
    float *floats;    /* (maps, channels, pixels) */
    uint16_t *halves; /* (half_maps, pixels, half_channels) */
    int maps, half_maps, channels, half_channels, pixels;
    half_type type;
    const float *scale; /* halves are floats times *scale, a power of two; NULL: 1 */
    bool adds;          /* to the floats, in place of overwriting them */
} half_pass;

/* What a block transposes: so many channels of so many pixels. */
typedef struct {
    int channels, pixels;
} half_tile;

enum { TILE_FLOATS = 1024, TILE_SIDE = 32 };

static inline int least_of(int a, int b) {
    return a < b ? a : b;
}

/* Square where both sides are long enough, so that both layouts are gone over in order; longer in
 * one where the other is short, as 1x1 weights are. */
static inline half_tile half_tile_of(const half_pass *pass) {
    half_tile tile = {least_of(pass->half_channels, TILE_SIDE), 0};
    tile.pixels = least_of(pass->pixels, TILE_FLOATS / tile.channels);
    tile.channels = least_of(pass->half_channels, TILE_FLOATS / tile.pixels);
    return tile;
}

/* Blocks that go over a map. */
static inline int half_tiles_of_map(const half_pass *pass, half_tile tile) {
    return (pass->half_channels + tile.channels - 1) / tile.channels *
           ((pass->pixels + tile.pixels - 1) / tile.pixels);
}

#ifdef GPU
#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In gpu_stream(); nothing is empty. Neither waits; both return what the launch answers. The first
 * writes the halves, the second the floats. */
cudaError_t launch_to_halves(const half_pass *pass);
cudaError_t launch_from_halves(const half_pass *pass);

#ifdef __cplusplus
}
#endif
#endif

#endif
