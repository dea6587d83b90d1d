/* An image file as 8-bit RGB. */
#ifndef IMAGE_DECODE_H
#define IMAGE_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int width;
    int height;
    unsigned char *pixels; /* (height, width, 3), row-major; released with free() */
} rgb_image;

/* Reads and decodes the file at `path`, whatever its name's bytes. True on success: the caller
 * owns image->pixels. False otherwise: nothing to release but *reason, a fresh string that says
 * why (no such file, truncated, not an image, larger than image_claim.h allows ...); the caller
 * frees it. Any number of threads. */
bool decode_image(const char *path, rgb_image *image, char **reason);

/* The library behind decode_image: OpenCV's imdecode where OPENCV=1, else the stb_image that
 * comes with Darknet, so that training sees the pixels that `valid` and `predict` see. `data` is
 * a whole file of `size` bytes. False if it cannot be decoded. */
bool decode_image_bytes(const unsigned char *data, size_t size, rgb_image *image);

#ifdef __cplusplus
}
#endif

#endif
