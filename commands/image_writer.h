/* Writes the images of a data set that OUT lacks. */
#ifndef DLB_IMAGE_WRITER_H
#define DLB_IMAGE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "data_set.h"

/* The folder below OUT for images of half s. */
extern const char *const set_folders[SETS];

/* Whether the images stay where they are: then there is nothing to write. */
bool stays_in_place(const data_set *set);

/* Where image i of half s is, or is to be: OUT/train/LABEL/00001.png with the image's number, with
 * the ending of its file where it comes from an archive; or its file itself where it stays in
 * place. The caller frees it. */
char *image_path(const char *out, const data_set *set, int s, size_t i);

/* How many images are to be written. */
size_t count_missing(const char *out, const data_set *set);

/* Writes them: pixels as PNG, files of an archive byte for byte. Each appears under its name only
 * when it is whole. `missing` is their number, for the progress on standard error where that is a
 * terminal. Fails where writing does. */
void write_missing_images(const char *out, const data_set *set, size_t missing);

#endif
