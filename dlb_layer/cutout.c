#include "cutout.h"

#include "normalise.h"

#include <string.h>

image_box draw_cutout(int side, int width, int height, random_stream *stream) {
    int x = (int)random_below(stream, (uint64_t)width);
    int y = (int)random_below(stream, (uint64_t)height);
    return box_around(x, y, side, side, width, height);
}

void cut_out(image_box box, int width, int height, float *row) {
    size_t bytes = (size_t)(box.right - box.left) * sizeof *row;
    for (int c = 0; c < IMAGE_CHANNELS; c++)
        for (int y = box.top; y < box.bottom; y++)
            memset(row + ((size_t)c * (size_t)height + (size_t)y) * (size_t)width + box.left, 0,
                   bytes);
}
