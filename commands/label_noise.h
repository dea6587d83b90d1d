/* Symmetric label noise: some images of a list get the label of another class.
 *
 * Of N images exactly round(P * N) are drawn, and each gets a label drawn uniformly from the other
 * classes, so that P is the share of labels that are wrong. Papers also use a variant that draws
 * from all classes, where a drawn image keeps its label by chance and only about P * (K - 1) / K
 * are wrong: a noise of P there is one of P * (K - 1) / K here. The former was chosen because the
 * number asked for is then the number one gets, whatever K is.
 *
 * With the same seed, the images changed at a smaller P are among those changed at a larger one and
 * get the same label. */
#ifndef DLB_LABEL_NOISE_H
#define DLB_LABEL_NOISE_H

#include <stddef.h>
#include <stdint.h>

/* Writes the noisy labels of the (count) `labels` in 0 .. classes-1 to a fresh array, which the
 * caller frees. At least two classes; 0 <= share < 1. */
int *add_label_noise(const int *labels, size_t count, size_t classes, double share, uint64_t seed);

#endif
