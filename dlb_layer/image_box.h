/* A rectangle of an image's pixels. */
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
    return (image_box){.left = between(0, left, width),
                       .top = between(0, top, height),
                       .right = between(0, left + box_width, width),
                       .bottom = between(0, top + box_height, height)};
}

static inline int box_area(image_box box) {
    return (box.right - box.left) * (box.bottom - box.top);
}

#endif
