#include "augment.h"

#include "normalise.h"

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

/* The three colours of one line of the crop, (width) each. */
typedef struct {
    float *r, *g, *b;
} rgb_line;

/* The four pixels around a point, as pointers to their RGB bytes; black outside the image. */
typedef struct {
    const unsigned char *corner[4]; /* top left, top right, bottom left, bottom right */
} neighbours;

static const unsigned char *pixel_or_black(const rgb_image *image, int x, int y) {
    static const unsigned char BLACK[3] = {0, 0, 0};
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return BLACK;
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

static neighbours neighbours_of(const rgb_image *image, int x, int y) {
    if (x >= 0 && y >= 0 && x + 1 < image->width && y + 1 < image->height) {
        const unsigned char *top = pixel_or_black(image, x, y);
        const unsigned char *bottom = top + 3 * (size_t)image->width;
        return (neighbours){{top, top + 3, bottom, bottom + 3}};
    }
    return (neighbours){{pixel_or_black(image, x, y), pixel_or_black(image, x + 1, y),
                         pixel_or_black(image, x, y + 1), pixel_or_black(image, x + 1, y + 1)}};
}

/* Writes the bilinear value at (x, y) of the image to place `at` of the line. */
static void sample_pixel(const rgb_image *image, float x, float y, rgb_line line, int at) {
    float left = floorf(x), top = floorf(y);
    line.r[at] = line.g[at] = line.b[at] = 0;
    if (!(left >= -1 && left < (float)image->width && top >= -1 && top < (float)image->height))
        return; /* also keeps the conversions below inside an int's range */
    float dx = x - left, dy = y - top;
    const float weight[4] = {(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx};
    neighbours n = neighbours_of(image, (int)left, (int)top);
    for (int i = 0; i < 4; i++) {
        line.r[at] += weight[i] * n.corner[i][0];
        line.g[at] += weight[i] * n.corner[i][1];
        line.b[at] += weight[i] * n.corner[i][2];
    }
    line.r[at] /= 255;
    line.g[at] /= 255;
    line.b[at] /= 255;
}

static inline float smaller(float a, float b) {
    return a < b ? a : b;
}

static inline float larger(float a, float b) {
    return a > b ? a : b;
}

/* One colour from hue (0 to 6), saturation and value: `offset` is 5 for red, 3 for green, 1 for
 * blue. The same piecewise linear function as the usual six cases. */
static inline float colour_of(float hue, float saturation, float value, float offset) {
    float k = hue + offset;
    k = k >= 6 ? k - 6 : k;
    float share = larger(0, smaller(1, smaller(k, 4 - k)));
    return smaller(1, larger(0, value - value * saturation * share));
}

/* Through hue, saturation and value (Smith, 1978) and back, without branches, so that the compiler
 * can take several pixels at once. */
static void distort_line(rgb_line line, int width, const augmentation *drawn) {
    float *restrict red = line.r, *restrict green = line.g, *restrict blue = line.b;
    float shift = 6 * drawn->hue, saturation = drawn->saturation, exposure = drawn->exposure;
    for (int x = 0; x < width; x++) {
        float r = red[x], g = green[x], b = blue[x];
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
        red[x] = colour_of(hue, s, v, 5);
        green[x] = colour_of(hue, s, v, 3);
        blue[x] = colour_of(hue, s, v, 1);
    }
}

static bool distorts_colours(const augmentation *drawn) {
    return drawn->hue != 0 || drawn->saturation != 1 || drawn->exposure != 1;
}

void render_augmented(const rgb_image *image, const augmentation *drawn, int width, int height,
                      float *row) {
    size_t plane = (size_t)width * (size_t)height;
    bool distorts = distorts_colours(drawn);
    double c = cos(drawn->radians), s = sin(drawn->radians);
    double step_x = (double)drawn->aspect / drawn->scale, step_y = 1. / drawn->scale;
    for (int y = 0; y < height; y++) {
        float *start = row + (size_t)y * (size_t)width;
        rgb_line line = {start, start + plane, start + 2 * plane};
        double v = (y - height / 2. + drawn->dy) * step_y;
        for (int x = 0; x < width; x++) {
            double u = (x - width / 2. + drawn->dx) * step_x;
            sample_pixel(image, (float)(c * u - s * v + image->width / 2.),
                         (float)(s * u + c * v + image->height / 2.), line,
                         drawn->flip ? width - 1 - x : x);
        }
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
