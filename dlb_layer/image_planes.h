/* A decoded image as the host's planes. */
#ifndef IMAGE_PLANES_H
#define IMAGE_PLANES_H

#include "darknet.h"
#include "image_decode.h"

/* Planes of RGB in 0..1, by the host's own expression. The caller frees them with free_image(). */
image image_planes(const rgb_image *decoded);

#endif
