/* A data set as a reader found it: what `darknet dlb prepare` writes images and lists from. */
#ifndef DLB_DATA_SET_H
#define DLB_DATA_SET_H

#include <stddef.h>

/* One half of a data set. An image is either in `pixels` or a file of its own in `files`. */
typedef struct {
    size_t count;
    int *labels;            /* (count), class indices */
    size_t *numbers;        /* (count), place in the source from 1, whatever was left out since */
    char **files;           /* (count), image files: see data_set.archive; NULL with pixels */
    unsigned char *pixels;  /* (images in the source, height, width, channels); NULL with files */
    unsigned long checksum; /* CRC-32 of what was read, with nothing left out */
} image_set;

enum { TRAIN, VALID, SETS };

/* Everything that pointers lead to is owned; release it with free_data_set(). */
typedef struct {
    size_t classes;
    char **labels; /* (classes), for paths and lists; none is part of another one */
    char **names;  /* (classes), for people */
    size_t height, width, channels; /* of pixels; 1 channel is gray, 3 are RGB */
    char *archive;                  /* `files` are names in this archive; NULL: absolute paths */
    const char *checked;            /* what the checksums are of, for people: "pixels and labels" */
    image_set sets[SETS];
} data_set;

/* A set of `count` images, numbered from 1, with all labels 0 and no images yet. */
image_set new_image_set(size_t count);

/* The label of class k: c07_name for k = 7 of 10 to 99 more classes. The number has the same width
 * for all classes, and of `name` only ASCII letters (in lower case) and digits stay, everything
 * between them becoming one '-'. So the only '_' stands behind the number, and no label can be
 * part of another one. The caller frees it. */
char *numbered_label(size_t k, size_t classes, const char *name);

/* Fills set->labels of a data set of `classes` with the numbered labels of these (classes)
 * names, and set->names with copies of them. */
void name_classes(data_set *set, size_t classes, const char *const *names);

void free_data_set(data_set *set);

#endif
