#include "random_beta.h"

#include <math.h>

/* In (0, 1), so that its logarithm is finite. */
static double open_unit(random_stream *stream) {
    return ((double)(random_bits(stream) >> 12) + .5) * 0x1p-52;
}

/* Box and Muller, 1958. */
static double random_normal(random_stream *stream) {
    double radius = sqrt(-2 * log(open_unit(stream)));
    return radius * cos(2 * M_PI * open_unit(stream));
}

/* Marsaglia and Tsang: "A simple method for generating gamma variables", 2000; shape >= 1. */
static double random_gamma(random_stream *stream, double shape) {
    double d = shape - 1. / 3, c = 1 / sqrt(9 * d);
    while (1) {
        double x = random_normal(stream), root = 1 + c * x, v = root * root * root;
        if (root > 0 && log(open_unit(stream)) < x * x / 2 + d - d * v + d * log(v))
            return d * v;
    }
}

/* Jöhnk, 1964; shape <= 1. In logarithms, because u^(1/shape) underflows for small shapes. */
static double small_shape(random_stream *stream, double shape) {
    while (1) {
        double log_x = log(open_unit(stream)) / shape, log_y = log(open_unit(stream)) / shape;
        if (exp(log_x) + exp(log_y) <= 1)
            return 1 / (1 + exp(log_y - log_x));
    }
}

double random_beta(random_stream *stream, double shape) {
    if (shape <= 1)
        return small_shape(stream, shape);
    double x = random_gamma(stream, shape);
    return x / (x + random_gamma(stream, shape));
}
