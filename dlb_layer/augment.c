#include "augment.h"

#include "normalise.h"
#include "pixel_math.h"

#include <math.h>
#include <string.h>

/* A factor in [1, limit] or its inverse, with equal chances. */
static float draw_factor(random_stream *stream, float limit) {
    float factor = random_uniform(stream, 1, limit);
    return random_below(stream, 2) ? factor : 1 / factor;
}

static int draw_int(random_stream *stream, int a, int b) {
    int low = a < b ? a : b;
    int high = a < b ? b : a;
    return low + (int)random_below(stream, (uint64_t)(high - low) + 1);
}

static void draw_flip_and_colours(const augment_settings *settings, random_stream *stream,
                                  augmentation *drawn) {
    bool mirrored = random_below(stream, 2); /* drawn in any case: flip=0 changes nothing else */
    drawn->flip = settings->flips && mirrored;
    drawn->hue = random_uniform(stream, -settings->hue, settings->hue);
    drawn->saturation = draw_factor(stream, settings->saturation);
    drawn->exposure = draw_factor(stream, settings->exposure);
}

augmentation draw_augmentation(const augment_settings *settings, int image_width, int image_height,
                               random_stream *stream) {
    augmentation drawn;
    drawn.aspect = draw_factor(stream, settings->aspect);
    int side = draw_int(stream, settings->min_side, settings->max_side);
    float stretched = (float)image_width * drawn.aspect;
    int shorter = (float)image_height < stretched ? image_height : (int)stretched;
    drawn.scale = (float)side / (float)(shorter > 0 ? shorter : 1);
    drawn.radians = random_uniform(stream, -settings->angle, settings->angle) * (float)M_PI / 180.f;
    float dx = ((float)image_width * drawn.scale / drawn.aspect - (float)settings->width) / 2;
    float dy = ((float)image_height * drawn.scale - (float)settings->height) / 2;
    drawn.dx = random_uniform(stream, -dx, dx);
    drawn.dy = random_uniform(stream, -dy, dy);
    draw_flip_and_colours(settings, stream, &drawn);
    return drawn;
}

crop_geometry crop_geometry_of(const augmentation *drawn) {
    return (crop_geometry){.step_x = (double)drawn->aspect / drawn->scale,
                           .step_y = 1. / drawn->scale,
                           .c = cos(drawn->radians),
                           .s = sin(drawn->radians)};
}

/* The three colours of one line of the crop, (width) each. */
typedef struct {
    float *r, *g, *b;
} rgb_line;

static void distort_line(rgb_line line, int width, const augmentation *drawn) {
    float *restrict red = line.r, *restrict green = line.g, *restrict blue = line.b;
    float shift = 6 * drawn->hue, saturation = drawn->saturation, exposure = drawn->exposure;
    for (int x = 0; x < width; x++) {
        rgb_colour from = {red[x], green[x], blue[x]};
        rgb_colour to = distort_colour(from, shift, saturation, exposure);
        red[x] = to.r;
        green[x] = to.g;
        blue[x] = to.b;
    }
}

/* Writes the line of the crop that is `v` off its centre, see crop_step(). */
static void sample_line(const rgb_image *image, const augmentation *drawn, const crop_geometry *g,
                        double v, int width, rgb_line line) {
    const rgb_image from = *image; /* copies, which what is written cannot change */
    const crop_geometry geometry = *g;
    float dx = drawn->dx;
    bool flip = drawn->flip;
    for (int x = 0; x < width; x++) {
        double u = crop_step(x, width / 2., dx, geometry.step_x);
        rgb_colour colour = sample_image(&from, image_x(&geometry, u, v, from.width),
                                         image_y(&geometry, u, v, from.height));
        int at = flip ? width - 1 - x : x;
        line.r[at] = colour.r;
        line.g[at] = colour.g;
        line.b[at] = colour.b;
    }
}

void render_augmented(const rgb_image *image, const augmentation *drawn, int width, int height,
                      float *row) {
    size_t plane = (size_t)width * (size_t)height;
    bool distorts = distorts_colours(drawn);
    crop_geometry geometry = crop_geometry_of(drawn);
    for (int y = 0; y < height; y++) {
        float *start = row + (size_t)y * (size_t)width;
        rgb_line line = {start, start + plane, start + 2 * plane};
        double v = crop_step(y, height / 2., drawn->dy, geometry.step_y);
        sample_line(image, drawn, &geometry, v, width, line);
        if (distorts)
            distort_line(line, width, drawn);
    }
}

/* ---- pad_crop ---- */

augmentation draw_pad_crop(const augment_settings *settings, random_stream *stream) {
    augmentation drawn = {.scale = 1, .aspect = 1};
    uint64_t places = 2 * (uint64_t)settings->pad + 1;
    drawn.dx = (float)random_below(stream, places);
    drawn.dy = (float)random_below(stream, places);
    draw_flip_and_colours(settings, stream, &drawn);
    return drawn;
}

static void mirror(float *line, int width) {
    for (int left = 0, right = width - 1; left < right; left++, right--) {
        float swapped = line[left];
        line[left] = line[right];
        line[right] = swapped;
    }
}

/* A line of the crop from a line of the image (NULL: above or below it), `shift` pixels further
 * right there. */
static void crop_line(const float *source, int shift, int width, float *line) {
    int first = shift < 0 ? -shift : 0, end = shift > 0 ? width - shift : width;
    memset(line, 0, (size_t)width * sizeof *line);
    if (source && first < end)
        memcpy(line + first, source + first + shift, (size_t)(end - first) * sizeof *line);
}

void render_pad_crop(const float *planes, const augmentation *drawn,
                     const augment_settings *settings, float *row) {
    int width = settings->width, height = settings->height;
    size_t plane = (size_t)width * (size_t)height;
    int right = (int)drawn->dx - settings->pad, down = (int)drawn->dy - settings->pad;
    for (int y = 0; y < height; y++) {
        float *start = row + (size_t)y * (size_t)width;
        bool inside = y + down >= 0 && y + down < height;
        for (size_t c = 0; c < IMAGE_CHANNELS; c++) {
            const float *source = planes + c * plane;
            crop_line(inside ? source + (size_t)(y + down) * (size_t)width : NULL, right, width,
                      start + c * plane);
            if (drawn->flip)
                mirror(start + c * plane, width);
        }
        if (distorts_colours(drawn))
            distort_line((rgb_line){start, start + plane, start + 2 * plane}, width, drawn);
    }
}
