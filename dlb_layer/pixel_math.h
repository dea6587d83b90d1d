/* What augmentation does to one pixel: where it comes from, its colour there, distortion,
 * normalisation. For C and for CUDA, so that a row rendered on the GPU is the CPU's. */
#ifndef PIXEL_MATH_H
#define PIXEL_MATH_H

#include "augment.h"
#include "dlb_loss.h" /* DLB_FUNCTION */

#include <math.h>

/* In 0..1 until it is normalised. */
typedef struct {
    float r, g, b;
} rgb_colour;

/* ---- the crop's pixels in the image ---- */

/* The crop's columns and lines in the image's, before they are turned: pixels there a pixel here,
 * and the angle's cosine and sine. */
typedef struct {
    double step_x, step_y, c, s;
} crop_geometry;

/* In augment.c. */
crop_geometry crop_geometry_of(const augmentation *drawn);

/* `centre` is half the crop's size, `shift` the drawn offset. */
DLB_FUNCTION double crop_step(int at, double centre, float shift, double step) {
    return (at - centre + shift) * step;
}

/* For a point (u, v) of crop_step()'s from the crop's centre. */
DLB_FUNCTION float image_x(const crop_geometry *g, double u, double v, int image_width) {
    return (float)(g->c * u - g->s * v + image_width / 2.);
}

DLB_FUNCTION float image_y(const crop_geometry *g, double u, double v, int image_height) {
    return (float)(g->s * u + g->c * v + image_height / 2.);
}

/* ---- bilinear ---- */

DLB_FUNCTION void add_pixel(rgb_colour *sum, float weight, const unsigned char *pixel) {
    sum->r += weight * pixel[0];
    sum->g += weight * pixel[1];
    sum->b += weight * pixel[2];
}

DLB_FUNCTION bool is_in_image(const rgb_image *image, int x, int y) {
    return x >= 0 && y >= 0 && x < image->width && y < image->height;
}

DLB_FUNCTION const unsigned char *pixel_of(const rgb_image *image, int x, int y) {
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

/* The value at (x, y) of the image, outside of which all is black. */
DLB_FUNCTION rgb_colour sample_image(const rgb_image *image, float x, float y) {
    float left = floorf(x), top = floorf(y);
    rgb_colour sum = {0, 0, 0};
    if (!(left >= -1 && left < (float)image->width && top >= -1 && top < (float)image->height))
        return sum; /* also keeps the conversions below inside an int's range */
    int column = (int)left, line = (int)top;
    float dx = x - left, dy = y - top;
    const float weight[4] = {(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx};
    if (column >= 0 && line >= 0 && column + 1 < image->width && line + 1 < image->height) {
        const unsigned char *upper = pixel_of(image, column, line);
        const unsigned char *lower = upper + 3 * (size_t)image->width;
        add_pixel(&sum, weight[0], upper);
        add_pixel(&sum, weight[1], upper + 3);
        add_pixel(&sum, weight[2], lower);
        add_pixel(&sum, weight[3], lower + 3);
    } else {
        for (int i = 0; i < 4; i++)
            if (is_in_image(image, column + i % 2, line + i / 2))
                add_pixel(&sum, weight[i], pixel_of(image, column + i % 2, line + i / 2));
    }
    sum.r /= 255;
    sum.g /= 255;
    sum.b /= 255;
    return sum;
}

/* ---- distortion ---- */

DLB_FUNCTION bool distorts_colours(const augmentation *drawn) {
    return drawn->hue != 0 || drawn->saturation != 1 || drawn->exposure != 1;
}

DLB_FUNCTION float smaller(float a, float b) {
    return a < b ? a : b;
}

DLB_FUNCTION float larger(float a, float b) {
    return a > b ? a : b;
}

/* One colour from hue (0 to 6), saturation and value: `offset` is 5 for red, 3 for green, 1 for
 * blue. The same piecewise linear function as the usual six cases. */
DLB_FUNCTION float colour_of(float hue, float saturation, float value, float offset) {
    float k = hue + offset;
    k = k >= 6 ? k - 6 : k;
    float share = larger(0, smaller(1, smaller(k, 4 - k)));
    return smaller(1, larger(0, value - value * saturation * share));
}

/* Through hue, saturation and value (Smith, 1978) and back, without branches, so that the compiler
 * can take several pixels at once. `shift` is six times the drawn hue. */
DLB_FUNCTION rgb_colour distort_colour(rgb_colour from, float shift, float saturation,
                                       float exposure) {
    float r = from.r, g = from.g, b = from.b;
    float max = larger(r, larger(g, b)), delta = max - smaller(r, smaller(g, b));
    float divisor = delta > 0 ? delta : 1;
    float hue_r = (g - b) / divisor, hue_g = 2 + (b - r) / divisor;
    float hue_b = 4 + (r - g) / divisor;
    float hue = r == max ? hue_r : g == max ? hue_g : hue_b;
    hue = hue < 0 ? hue + 6 : hue;
    hue += shift;
    hue = hue > 6 ? hue - 6 : hue;
    hue = hue < 0 ? hue + 6 : hue;
    float s = saturation * delta / (max > 0 ? max : 1), v = exposure * max;
    rgb_colour to = {colour_of(hue, s, v, 5), colour_of(hue, s, v, 3), colour_of(hue, s, v, 1)};
    return to;
}

/* ---- after the augmentation ---- */

DLB_FUNCTION float normalised_value(float value, float mean, float std) {
    return (value - mean) / std;
}

/* mixup: `own` is the part of `value` itself. */
DLB_FUNCTION float blended(float own, float value, float partner) {
    return own * value + (1 - own) * partner;
}

#endif
