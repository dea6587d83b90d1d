/* Small streams of random numbers that depend on a key alone, never on threads or on order.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). The C
 * library's rand() has one hidden state for the whole process, so no row could be reproduced. */
#ifndef RANDOM_STREAM_H
#define RANDOM_STREAM_H

#include <stdint.h>

typedef struct {
    uint64_t state;
} random_stream;

/* The next 64 random bits. */
static inline uint64_t random_bits(random_stream *stream) {
    uint64_t z = (stream->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The stream of a key: equal keys give equal streams, different keys unrelated ones. */
static inline random_stream random_stream_of(uint64_t seed, uint64_t key, uint64_t subkey) {
    random_stream stream = {seed};
    stream.state = random_bits(&stream) ^ key;
    stream.state = random_bits(&stream) ^ subkey;
    stream.state = random_bits(&stream);
    return stream;
}

/* Uniform in [low, high); the bounds may come in either order. */
static inline float random_uniform(random_stream *stream, float low, float high) {
    float unit = (float)(random_bits(stream) >> 40) * 0x1p-24f;
    return low + (high - low) * unit;
}

/* Uniform in 0 .. count-1. The bias of the modulus is below count / 2^64. */
static inline uint64_t random_below(random_stream *stream, uint64_t count) {
    return random_bits(stream) % count;
}

#endif
