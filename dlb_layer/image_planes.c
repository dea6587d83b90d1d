#include "image_planes.h"

image image_planes(const rgb_image *decoded) {
    image im = make_image(decoded->width, decoded->height, 3);
    size_t plane = (size_t)decoded->width * (size_t)decoded->height;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < 3; c++)
            im.data[c * plane + i] = (float)(decoded->pixels[3 * i + c] / 255.);
    return im;
}
