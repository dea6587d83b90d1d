#include "image_decode.h"

#include "stb_image.h"

#include <stdlib.h>
#include <string.h>

/* A whole file in memory, as stb_image's callbacks see it. */
typedef struct {
    const unsigned char *data;
    size_t size;
    size_t at;
    const char *buffer; /* stb_image's own, which its first read fills */
    bool ran_out;       /* more was needed than there is: the file is truncated */
} byte_source;

static int read_bytes(void *user, char *into, int count) {
    byte_source *source = user;
    size_t left = source->size - source->at;
    size_t got = (size_t)count < left ? (size_t)count : left;
    if (!source->buffer)
        source->buffer = into;
    /* Filling the buffer may read ahead of what is needed; anything else is needed. */
    bool reads_ahead = into == source->buffer && left > 0;
    if ((size_t)count > left && !reads_ahead)
        source->ran_out = true;
    memcpy(into, source->data + source->at, got);
    source->at += got;
    return (int)got;
}

static void skip_bytes(void *user, int count) {
    byte_source *source = user;
    size_t left = source->size - source->at;
    if (count > 0 && (size_t)count > left)
        source->ran_out = true;
    source->at += count > 0 && (size_t)count > left ? left : (size_t)count;
}

static int at_end(void *user) {
    byte_source *source = user;
    return source->at == source->size;
}

bool decode_image_bytes(const unsigned char *data, size_t size, rgb_image *image) {
    static const stbi_io_callbacks CALLBACKS = {read_bytes, skip_bytes, at_end};
    byte_source source = {.data = data, .size = size};
    int channels = 0;
    image->pixels =
        stbi_load_from_callbacks(&CALLBACKS, &source, &image->width, &image->height, &channels, 3);
    if (!image->pixels)
        return false;
    bool empty = image->width < 1 || image->height < 1; /* a header cut short reads as zeros */
    if (source.ran_out || empty) {
        free(image->pixels);
        image->pixels = NULL;
    }
    return image->pixels != NULL;
}
