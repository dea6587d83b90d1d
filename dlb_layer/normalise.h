/* Inputs brought to mean 0 and deviation 1, channel by channel, as torchvision's Normalize does. */
#ifndef NORMALISE_H
#define NORMALISE_H

#include <stddef.h>

enum { IMAGE_CHANNELS = 3 };

/* Of red, green and blue, pixels in 0..1. */
typedef struct {
    float mean[IMAGE_CHANNELS], std[IMAGE_CHANNELS]; /* std > 0 */
} channel_statistics;

/* to = (from - mean) / std, for one image of three planes of `plane` floats each. Both may be the
 * same image. */
void normalise_planes(const channel_statistics *statistics, size_t plane, const float *from,
                      float *to);

/* The way back, in place: x * std + mean. */
void denormalise_planes(const channel_statistics *statistics, size_t plane, float *planes);

#endif
