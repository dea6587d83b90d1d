/* The image files of a data set that is made of such, gathered on the way through its tree.
 *
 * In a folder they stay where they are and are not read; in an archive each is read once, which
 * finds damage before anything is written. */
#ifndef DLB_IMAGE_FILES_H
#define DLB_IMAGE_FILES_H

#include <stdbool.h>

#include "data_set.h"
#include "file_tree.h"

typedef struct {
    char *file; /* its name in the tree */
    char *key;  /* what the reader tells its class from: a folder's or the file's own name */
    int label;  /* for the reader to fill in */
    unsigned long checksum; /* of its bytes, in an archive */
} image_file;

/* Begin with {0}. image_files_to_set() releases it. */
typedef struct {
    size_t count, room;
    image_file *items; /* (count) */
} image_files;

/* The parts of a path, at most one more than MAX_PARTS of them counted. */
enum { MAX_PARTS = 4 };
typedef struct {
    int count;
    char *parts[MAX_PARTS + 1];
    char *text; /* what they point into; owned */
} path_parts;

/* Splits `path` at its slashes. Free `text` afterwards. */
path_parts split_path(const char *path);

/* The part of `path` below the data set's own top folder, which may be there or not: the one that
 * begins with one of `parts` (ends in NULL), or has it as second part. NULL for anything else, and
 * where a part's name begins with a dot. *top remembers the top folder, NULL at first, to be
 * freed by the caller. Fails where there are two. */
const char *below_top(const char *src, char **top, const char *path, const char *const *parts);

/* Adds the file that next_file() named `file`. Fails where it is empty, no image by its name (jpg,
 * jpeg, png, bmp, ppm, pgm, in any case), or has a tab or line break in its name, which lists
 * cannot hold. */
void add_image_file(image_files *files, file_tree *tree, const char *src, const char *file,
                    const char *key);

/* Moves the files, sorted by name, into a set; paths are absolute unless they are in an archive.
 * Fails where there are none or one is there twice. `kind` ("training") is for that message. */
image_set image_files_to_set(image_files *files, const char *src, bool in_archive,
                             const char *kind);

#endif
