#include "image_decode.h"

#include "stb_image.h"

bool decode_image_bytes(const unsigned char *data, size_t size, rgb_image *image) {
    int channels = 0;
    image->pixels =
        stbi_load_from_memory(data, (int)size, &image->width, &image->height, &channels, 3);
    return image->pixels != NULL;
}
