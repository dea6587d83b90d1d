/* The symmetric Beta distribution, from a random stream. */
#ifndef RANDOM_BETA_H
#define RANDOM_BETA_H

#include "random_stream.h"

/* A number in [0, 1], symmetric about 1/2: uniform for shape 1, near 0 or 1 for small shapes, near
 * 1/2 for large ones. shape > 0. Takes from the stream as many numbers as it needs. */
double random_beta(random_stream *stream, double shape);

#endif
