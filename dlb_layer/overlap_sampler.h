/* Which image goes into which row of which iteration.
 *
 * An iteration is `slots` micro-batches of `rows` rows. Each epoch is a fresh shuffle in which
 * every image is new exactly once; the stream of new images runs on over an epoch's end. With
 * overlap, rows 0 .. rows/2-1 of a slot are the images of rows rows/2 .. rows-1 of the same slot
 * one iteration earlier, in order; the other rows are new, and the first iteration is all new.
 *
 * In the order of the list instead, for validation: image 0, 1, ... and from the start again.
 *
 * One thread at a time. The sequence depends on the arguments of create alone. */
#ifndef OVERLAP_SAMPLER_H
#define OVERLAP_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t id; /* serial number of the draw, from 0; both visits of a draw share it */
    int image;  /* index into the training list */
    int visit;  /* 0: new in this iteration, 1: revisited */
} sample;

typedef struct overlap_sampler overlap_sampler;

/* images >= 1; rows is even with overlap. The caller owns the sampler (overlap_sampler_free).
 * Keeps 4 bytes an image and one iteration of samples. Ends the program where memory runs out. */
overlap_sampler *overlap_sampler_create(int images, int slots, int rows, bool overlap,
                                        uint64_t seed);

/* Without overlap and without a shuffle; as above otherwise. */
overlap_sampler *ordered_sampler_create(int images, int slots, int rows);

/* Accepts NULL. */
void overlap_sampler_free(overlap_sampler *sampler);

/* Writes the next iteration's samples, (slots, rows) row-major, into the caller's array. */
void overlap_sampler_next(overlap_sampler *sampler, sample *samples);

/* Before the first overlap_sampler_next(): leaves out the first `iterations` iterations, at the
 * cost of one. */
void overlap_sampler_skip(overlap_sampler *sampler, int64_t iterations);

#endif
