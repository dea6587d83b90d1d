/* A contact sheet: pairs of images of one size, one above the other, with a caption under each
 * pair, in rows from left to right, below two lines of title. */
#ifndef CONTACT_SHEET_H
#define CONTACT_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Both images are (3, height, width) planes of RGB in 0..1. */
typedef struct {
    const float *above;
    const float *below;
    const char *label;
    int64_t id;
} image_pair;

/* Owns nothing. */
typedef struct {
    const char *title;
    const char *subtitle;
    int width, height; /* of each image, pixels */
    int count;         /* of pairs, at least 1 */
    const image_pair *pairs;
} contact_sheet;

/* Where things are, in pixels of the sheet. */
typedef struct {
    int tile_width, tile_height; /* of an image on the sheet */
    int columns, rows;           /* of pairs */
    int cell_width, cell_height; /* a pair with its caption and the gaps */
    int width, height;           /* of it all; long titles may make the sheet wider to the right */
} sheet_layout;

/* Small images are enlarged by a whole factor until their longer side has 96 pixels at least, large
 * ones reduced to 160. */
sheet_layout lay_out_sheet(int image_width, int image_height, int count);

/* The upper left corner of the tile of pair number `pair`. */
void find_tile(const sheet_layout *layout, int pair, bool below, int *x, int *y);

/* The upper left corner and the width of the caption of pair number `pair`. */
void find_caption(const sheet_layout *layout, int pair, int *x, int *y, int *width);

/* The upper left corner of the words that stand at the left of row number `row`'s tiles. */
void find_row_words(const sheet_layout *layout, int row, bool below, int *x, int *y);

/* ---- what follows needs OpenCV ---- */

/* False in a build without: then the others must not be called. */
bool can_draw_sheets(void);

/* Whether the extension of this path names a format that can be written. */
bool is_writable_format(const char *path);

/* Draws the sheet and encodes it in the format of path's extension, into a fresh block of *size
 * bytes that the caller frees. NULL with *reason, a fresh string, if that fails. */
unsigned char *encode_sheet(const contact_sheet *sheet, const char *path, size_t *size,
                            char **reason);

/* Draws the sheet into a window and waits for a key, or until it is closed. False with *reason, a
 * fresh string, if there is no window. Toolkits may end the program where they find no display. */
bool show_sheet_window(const contact_sheet *sheet, char **reason);

#ifdef __cplusplus
}
#endif

#endif
