/* The kernels of half_kernels.h: transposed by way of the block's shared memory, so that both
 * layouts are gone over in order. In the part of CUDA that is C too; see dlb_block.h. */
#ifndef HALF_BLOCKS_H
#define HALF_BLOCKS_H

#include "half_kernels.h"

/* What one call of a kernel takes. Blocks: half_tiles_of_map() for each of half_maps, or, from
 * halves, of maps. */
typedef struct {
    half_pass pass;
    half_tile tile;
} half_job;

/* Channels lie an odd number of floats apart, so that they are in different banks: two pixels of
 * 512 channels take three floats each, which is the most. */
enum { SHARED_FLOATS = TILE_FLOATS * 3 / 2 };

/* The tile that a block goes over, cut off where the map ends. */
typedef struct {
    int map, channel, pixel; /* its first ones */
    int channels, pixels;    /* its sides */
    int apart;               /* floats from a channel to the next, in shared memory */
} half_place;

DLB_FUNCTION int tiles_along(int length, int tile) {
    return (length + tile - 1) / tile;
}

DLB_FUNCTION half_place half_place_of(const half_pass *p, half_tile tile, int block) {
    int across = tiles_along(p->half_channels, tile.channels);
    int down = tiles_along(p->pixels, tile.pixels), left;
    half_place place;
    place.map = block / (across * down);
    place.channel = block % (across * down) / down * tile.channels;
    place.pixel = block % down * tile.pixels;
    left = p->half_channels - place.channel;
    place.channels = left < tile.channels ? left : tile.channels;
    left = p->pixels - place.pixel;
    place.pixels = left < tile.pixels ? left : tile.pixels;
    place.apart = tile.pixels | 1;
    return place;
}

/* Where the arrays have this channel and pixel of the map. */
DLB_FUNCTION size_t float_at(const half_pass *p, int map, int channel, int pixel) {
    return ((size_t)map * (size_t)p->channels + (size_t)channel) * (size_t)p->pixels +
           (size_t)pixel;
}

DLB_FUNCTION size_t half_at(const half_pass *p, int map, int channel, int pixel) {
    return ((size_t)map * (size_t)p->pixels + (size_t)pixel) * (size_t)p->half_channels +
           (size_t)channel;
}

static __global__ void to_halves_kernel(half_job job) {
    __shared__ float shared[SHARED_FLOATS];
    const half_pass *p = &job.pass;
    half_place t = half_place_of(p, job.tile, (int)blockIdx.x);
    float scale = p->scale ? *p->scale : 1;
    for (int i = (int)threadIdx.x; i < t.channels * t.pixels; i += (int)blockDim.x) {
        int c = i / t.pixels, x = i % t.pixels, channel = t.channel + c;
        bool there = t.map < p->maps && channel < p->channels;
        shared[c * t.apart + x] =
            there ? p->floats[float_at(p, t.map, channel, t.pixel + x)] * scale : 0;
    }
    __syncthreads(); /* or a thread would read what another has not written yet */
    for (int i = (int)threadIdx.x; i < t.channels * t.pixels; i += (int)blockDim.x) {
        int c = i % t.channels, x = i / t.channels;
        p->halves[half_at(p, t.map, t.channel + c, t.pixel + x)] =
            half_of(shared[c * t.apart + x], p->type);
    }
}

static __global__ void from_halves_kernel(half_job job) {
    __shared__ float shared[SHARED_FLOATS];
    const half_pass *p = &job.pass;
    half_place t = half_place_of(p, job.tile, (int)blockIdx.x);
    float scale = p->scale ? 1 / *p->scale : 1;
    for (int i = (int)threadIdx.x; i < t.channels * t.pixels; i += (int)blockDim.x) {
        int c = i % t.channels, x = i / t.channels;
        uint16_t half = p->halves[half_at(p, t.map, t.channel + c, t.pixel + x)];
        shared[c * t.apart + x] = float_of_half(half, p->type) * scale;
    }
    __syncthreads(); /* as above */
    for (int i = (int)threadIdx.x; i < t.channels * t.pixels; i += (int)blockDim.x) {
        int c = i / t.pixels, x = i % t.pixels, channel = t.channel + c;
        if (channel >= p->channels)
            continue;
        float *to = p->floats + float_at(p, t.map, channel, t.pixel + x);
        *to = p->adds ? *to + shared[c * t.apart + x] : shared[c * t.apart + x];
    }
}

#endif
