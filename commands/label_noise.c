#include "label_noise.h"

#include <math.h>
#include <stdlib.h>

#include "random_order.h"

/* Key the streams apart from each other and from that of the subset. */
static const uint64_t WHICH_KEY = 0x7768696368; /* "which" */
static const uint64_t LABEL_KEY = 0x6c6162656c; /* "label" */

/* Skips the label itself, so that the others are equally likely. */
static int other_label(int label, size_t classes, random_stream stream) {
    int drawn = (int)random_below(&stream, classes - 1);
    return drawn + (drawn >= label);
}

int *add_label_noise(const int *labels, size_t count, size_t classes, double share, uint64_t seed) {
    int *noisy = allocate(count, sizeof *noisy);
    size_t *order = random_order(random_stream_of(seed, WHICH_KEY, 0), count);
    size_t changed = (size_t)round(share * (double)count);
    for (size_t i = 0; i < count; i++)
        noisy[i] = labels[i];
    for (size_t i = 0; i < changed; i++) {
        size_t image = order[i];
        noisy[image] =
            other_label(labels[image], classes, random_stream_of(seed, LABEL_KEY, image));
    }
    free(order);
    return noisy;
}
