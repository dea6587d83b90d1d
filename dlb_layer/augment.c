#include "augment.h"

#include <math.h>

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
    drawn.flip = random_below(stream, 2);
    drawn.hue = random_uniform(stream, -settings->hue, settings->hue);
    drawn.saturation = draw_factor(stream, settings->saturation);
    drawn.exposure = draw_factor(stream, settings->exposure);
    return drawn;
}

typedef struct {
    float r, g, b;
} rgb;

static rgb pixel_or_black(const rgb_image *image, int x, int y) {
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return (rgb){0, 0, 0};
    const unsigned char *p = image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    return (rgb){(float)(p[0] / 255.), (float)(p[1] / 255.), (float)(p[2] / 255.)};
}

static rgb bilinear(const rgb_image *image, float x, float y) {
    float left = floorf(x), top = floorf(y);
    if (!(left >= -1 && left < (float)image->width && top >= -1 && top < (float)image->height))
        return (rgb){0, 0, 0}; /* also keeps the conversions below inside an int's range */
    int ix = (int)left, iy = (int)top;
    float dx = x - left, dy = y - top;
    rgb a = pixel_or_black(image, ix, iy), b = pixel_or_black(image, ix + 1, iy);
    rgb c = pixel_or_black(image, ix, iy + 1), d = pixel_or_black(image, ix + 1, iy + 1);
    float wa = (1 - dy) * (1 - dx), wb = (1 - dy) * dx, wc = dy * (1 - dx), wd = dy * dx;
    return (rgb){wa * a.r + wb * b.r + wc * c.r + wd * d.r,
                 wa * a.g + wb * b.g + wc * c.g + wd * d.g,
                 wa * a.b + wb * b.b + wc * c.b + wd * d.b};
}

/* Hue as 0..6, saturation and value, of one pixel (Smith, 1978). */
static void rgb_to_hsv(rgb p, float *h, float *s, float *v) {
    float max = fmaxf(p.r, fmaxf(p.g, p.b));
    float delta = max - fminf(p.r, fminf(p.g, p.b));
    *v = max;
    *s = max == 0 ? 0 : delta / max;
    if (delta == 0)
        *h = 0;
    else if (p.r == max)
        *h = (p.g - p.b) / delta;
    else if (p.g == max)
        *h = 2 + (p.b - p.r) / delta;
    else
        *h = 4 + (p.r - p.g) / delta;
    if (*h < 0)
        *h += 6;
}

static rgb hsv_to_rgb(float h, float s, float v) {
    int sector = (int)floorf(h);
    float f = h - (float)sector;
    float p = v * (1 - s), q = v * (1 - s * f), t = v * (1 - s * (1 - f));
    switch (sector) {
    case 0:
        return (rgb){v, t, p};
    case 1:
        return (rgb){q, v, p};
    case 2:
        return (rgb){p, v, t};
    case 3:
        return (rgb){p, q, v};
    case 4:
        return (rgb){t, p, v};
    default:
        return (rgb){v, p, q};
    }
}

static float clamp01(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static rgb distort(rgb p, const augmentation *drawn) {
    float h, s, v;
    rgb_to_hsv(p, &h, &s, &v);
    h = h / 6 + drawn->hue;
    if (h > 1)
        h -= 1;
    if (h < 0)
        h += 1;
    p = hsv_to_rgb(6 * h, s * drawn->saturation, v * drawn->exposure);
    return (rgb){clamp01(p.r), clamp01(p.g), clamp01(p.b)};
}

void render_augmented(const rgb_image *image, const augmentation *drawn, int width, int height,
                      float *row) {
    size_t plane = (size_t)width * (size_t)height;
    bool distorts = drawn->hue != 0 || drawn->saturation != 1 || drawn->exposure != 1;
    double c = cos(drawn->radians), s = sin(drawn->radians);
    double step_x = (double)drawn->aspect / drawn->scale, step_y = 1. / drawn->scale;
    for (int y = 0; y < height; y++) {
        double v = (y - height / 2. + drawn->dy) * step_y;
        for (int x = 0; x < width; x++) {
            double u = (x - width / 2. + drawn->dx) * step_x;
            rgb p = bilinear(image, (float)(c * u - s * v + image->width / 2.),
                             (float)(s * u + c * v + image->height / 2.));
            if (distorts)
                p = distort(p, drawn);
            size_t at = (size_t)y * (size_t)width + (size_t)(drawn->flip ? width - 1 - x : x);
            row[at] = p.r;
            row[plane + at] = p.g;
            row[2 * plane + at] = p.b;
        }
    }
}
