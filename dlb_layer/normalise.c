#include "normalise.h"

#include "pixel_math.h"

void normalise_planes(const channel_statistics *statistics, size_t plane, const float *from,
                      float *to) {
    for (size_t c = 0; c < IMAGE_CHANNELS; c++) {
        float mean = statistics->mean[c], std = statistics->std[c];
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            to[i] = normalised_value(from[i], mean, std);
    }
}

void denormalise_planes(const channel_statistics *statistics, size_t plane, float *planes) {
    for (size_t c = 0; c < IMAGE_CHANNELS; c++) {
        float mean = statistics->mean[c], std = statistics->std[c];
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            planes[i] = planes[i] * std + mean;
    }
}
