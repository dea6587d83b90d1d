/* Darknet's augmentation of a classifier's training image: rotated, stretched, scaled crop;
 * flip; distortion of hue, saturation and exposure. The same definitions as the host's
 * random_augment_args, rotate_crop_image, flip_image and random_distort_image, but drawn from a
 * stream of the row's own and rendered from 8-bit pixels straight into the network's input.
 *
 * In the crop's place, with pad_crop, the one that is usual for CIFAR (He et al. 2016, section
 * 4.2): the image with zeros around it, and a crop of its own size from anywhere in that. */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "image_decode.h"
#include "random_stream.h"

#include <stdbool.h>

/* The [net] keys that rule augmentation, with Darknet's meaning. */
typedef struct {
    int width, height;      /* of the rendered crop, pixels */
    int min_side, max_side; /* the image's shorter side is scaled to a length in this range */
    float angle;            /* rotation up to +- so many degrees */
    float aspect;           /* stretched by up to this factor, or its inverse */
    float hue;              /* hue shifted by up to +- this part of the circle */
    float saturation;       /* multiplied by up to this factor, or its inverse */
    float exposure;         /* likewise for the value channel */
    bool flips;             /* every other image is mirrored */
    bool pads;              /* pad_crop in place of sides, angle and aspect */
    int pad;                /* zeros on each side, pixels; with pads */
} augment_settings;

/* What was drawn for one visit of one image. With pads, (dx, dy) is the crop's upper left corner in
 * the padded image, whole numbers from 0 to 2 * pad, and radians, scale and aspect say nothing. */
typedef struct {
    float radians, scale, dx, dy, aspect;
    bool flip;
    float hue, saturation, exposure;
} augmentation;

augmentation draw_augmentation(const augment_settings *settings, int image_width, int image_height,
                               random_stream *stream);

/* Renders `image` into row, (3, height, width) planes of RGB in 0..1; pixels from outside the
 * image are black. Bilinear, as the host. Any number of threads on different rows. */
void render_augmented(const rgb_image *image, const augmentation *drawn, int width, int height,
                      float *row);

/* The draw for settings with pads. */
augmentation draw_pad_crop(const augment_settings *settings, random_stream *stream);

/* Renders an image that has the crop's size already, planes and row both (3, height, width) of RGB
 * in 0..1. Without distortion each pixel of the row is one of the image's, or 0. Threads as above.
 */
void render_pad_crop(const float *planes, const augmentation *drawn,
                     const augment_settings *settings, float *row);

#endif
