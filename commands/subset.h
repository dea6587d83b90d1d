/* A balanced part of a training list. */
#ifndef DLB_SUBSET_H
#define DLB_SUBSET_H

#include <stdint.h>

#include "data_set.h"

/* Keeps `wanted` images (1 .. set->count) in the order they had; labels are below `classes`. Every
 * class keeps as many as any other, or all it has where that is fewer; where `wanted` does not
 * divide evenly, chance says which classes keep one more. The images are drawn with `seed`. With
 * the same seed a smaller subset is part of a larger one. */
void keep_subset(image_set *set, size_t classes, size_t wanted, uint64_t seed);

#endif
