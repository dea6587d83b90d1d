/* A rectangle of an image's pixels. For C and for CUDA. */
#ifndef IMAGE_BOX_H
#define IMAGE_BOX_H

typedef struct {
    int left, top, right, bottom; /* right and bottom are outside */
} image_box;

static inline int between(int low, int value, int high) {
    return value < low ? low : value > high ? high : value;
}

/* The part inside a width x height image of the box of the given size about (x, y); of an even
 * size, one pixel more lies left of and above the centre than right and below. */
static inline image_box box_around(int x, int y, int box_width, int box_height, int width,
                                   int height) {
    int left = x - box_width / 2, top = y - box_height / 2;
    image_box box = {between(0, left, width), between(0, top, height),
                     between(0, left + box_width, width), between(0, top + box_height, height)};
    return box;
}

static inline int box_area(image_box box) {
    return (box.right - box.left) * (box.bottom - box.top);
}

#endif
