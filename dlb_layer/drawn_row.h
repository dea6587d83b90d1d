/* A row of the network's input that is not rendered yet: where the pixels of its image are and what
 * was drawn for it; and the rendering of one of its pixels. For C and for CUDA: the loader's
 * workers write it, the device renders it. */
#ifndef DRAWN_ROW_H
#define DRAWN_ROW_H

#include "image_box.h"
#include "normalise.h"
#include "pixel_math.h"

/* One visit of one image. */
typedef struct {
    size_t at;         /* byte of its micro-batch's pool where its pixels begin */
    int width, height; /* of the image */
    bool is_planes;    /* floats, (3, height, width), in 0..1; else bytes, (height, width, 3) */
    bool is_cut;
    image_box cut; /* becomes 0 */
    augmentation drawn;
    crop_geometry geometry; /* but with pad_crop */
} row_picture;

typedef struct {
    row_picture own, partner; /* partner: where it blends or pastes */
    bool blends;              /* mixup */
    float part;               /* its own, where it blends */
    bool pastes;              /* cutmix: the partner's pixels inside `box` */
    image_box box;
} drawn_row;

/* What all rows of a micro-batch have in common. */
typedef struct {
    int width, height; /* of the rows */
    bool pads;         /* pad_crop; the images have the rows' size then */
    int pad;
    bool normalises;
    channel_statistics statistics;
} render_settings;

/* All arrays where the rows are rendered. */
typedef struct {
    render_settings settings;
    const drawn_row *rows; /* (count) */
    unsigned char *pixels; /* the pool */
    float *inputs;         /* (count, 3, height, width) */
    size_t count;
} render_pass;

/* ---- a pixel of one image ---- */

DLB_FUNCTION rgb_colour colour_in_bytes(const unsigned char *pixel) {
    rgb_colour colour = {(float)pixel[0] / 255, (float)pixel[1] / 255, (float)pixel[2] / 255};
    return colour;
}

DLB_FUNCTION rgb_colour colour_in_planes(const float *red, size_t plane) {
    rgb_colour colour = {red[0], red[plane], red[2 * plane]};
    return colour;
}

DLB_FUNCTION rgb_colour pad_cropped_colour(const row_picture *picture, unsigned char *pixels,
                                           int pad, int x, int y) {
    rgb_colour black = {0, 0, 0};
    int from_x = x + (int)picture->drawn.dx - pad, from_y = y + (int)picture->drawn.dy - pad;
    rgb_image image = {picture->width, picture->height, pixels};
    if (!is_in_image(&image, from_x, from_y))
        return black;
    if (!picture->is_planes)
        return colour_in_bytes(pixel_of(&image, from_x, from_y));
    size_t place = (size_t)from_y * (size_t)image.width + (size_t)from_x;
    return colour_in_planes((const float *)(const void *)pixels + place,
                            (size_t)image.width * (size_t)image.height);
}

DLB_FUNCTION rgb_colour cropped_colour(const row_picture *picture, unsigned char *pixels,
                                       const render_settings *s, int x, int y) {
    const crop_geometry *g = &picture->geometry;
    rgb_image image = {picture->width, picture->height, pixels};
    double u = crop_step(x, s->width / 2., picture->drawn.dx, g->step_x);
    double v = crop_step(y, s->height / 2., picture->drawn.dy, g->step_y);
    return sample_image(&image, image_x(g, u, v, image.width), image_y(g, u, v, image.height));
}

DLB_FUNCTION bool is_in_box(const image_box *box, int x, int y) {
    return x >= box->left && x < box->right && y >= box->top && y < box->bottom;
}

DLB_FUNCTION rgb_colour normalised_colour(rgb_colour from, const channel_statistics *c) {
    rgb_colour to = {normalised_value(from.r, c->mean[0], c->std[0]),
                     normalised_value(from.g, c->mean[1], c->std[1]),
                     normalised_value(from.b, c->mean[2], c->std[2])};
    return to;
}

/* In the order of docs/recipe.md. */
DLB_FUNCTION rgb_colour picture_colour(const render_pass *p, const row_picture *picture, int x,
                                       int y) {
    const render_settings *s = &p->settings;
    unsigned char *pixels = p->pixels + picture->at;
    const augmentation *drawn = &picture->drawn;
    rgb_colour colour = {0, 0, 0};
    if (picture->is_cut && is_in_box(&picture->cut, x, y))
        return colour;
    int column = drawn->flip ? s->width - 1 - x : x;
    colour = s->pads ? pad_cropped_colour(picture, pixels, s->pad, column, y)
                     : cropped_colour(picture, pixels, s, column, y);
    if (distorts_colours(drawn))
        colour = distort_colour(colour, 6 * drawn->hue, drawn->saturation, drawn->exposure);
    return s->normalises ? normalised_colour(colour, &s->statistics) : colour;
}

/* ---- a pixel of a row ---- */

DLB_FUNCTION rgb_colour row_colour(const render_pass *p, const drawn_row *row, int x, int y) {
    if (row->pastes && is_in_box(&row->box, x, y))
        return picture_colour(p, &row->partner, x, y);
    rgb_colour own = picture_colour(p, &row->own, x, y);
    if (!row->blends)
        return own;
    rgb_colour other = picture_colour(p, &row->partner, x, y);
    rgb_colour colour = {blended(row->part, own.r, other.r), blended(row->part, own.g, other.g),
                         blended(row->part, own.b, other.b)};
    return colour;
}

#endif
