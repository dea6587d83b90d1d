/* Cutout (DeVries, Taylor: "Improved Regularization of Convolutional Neural Networks with Cutout",
 * 2017): a square of the image is set to 0. */
#ifndef CUTOUT_H
#define CUTOUT_H

#include "image_box.h"
#include "random_stream.h"

/* A square of `side` pixels about a pixel of the image that is drawn uniformly; what lies outside
 * is clipped, so that less than the whole square may be left. */
image_box draw_cutout(int side, int width, int height, random_stream *stream);

/* Sets the box to 0 in all three planes of row, (3, height, width). */
void cut_out(image_box box, int width, int height, float *row);

#endif
