/* Reads IDX files, the format of MNIST and Fashion-MNIST, plain or compressed with gzip.
 *
 * The format, as Yann LeCun's MNIST page (http://yann.lecun.com/exdb/mnist/) describes it: four
 * bytes say what follows (two zeros, the element type, the number of dimensions), then comes one
 * 32-bit big-endian size for each dimension, then the elements, the last dimension running
 * fastest. MNIST knows two kinds, both of unsigned bytes (type 8): images with the dimensions
 * count, height, width (magic 0x00000803), and labels with the one dimension count (0x00000801).
 *
 * Reading is strict. A file that cannot be opened or read, has another magic number, ends early,
 * goes on after its last element, holds no item, or fails gzip's own check ends the program
 * through fail() with a sentence that names the file and the values. */
#ifndef DLB_IDX_FILE_H
#define DLB_IDX_FILE_H

#include <stddef.h>

/* The elements of one file: bytes is (count, item_size), row-major, and owned by the struct. */
typedef struct {
    size_t count;     /* images or labels; at least 1 */
    size_t item_size; /* height * width for images, 1 for labels */
    unsigned char *bytes;
} idx_file;

/* Where the file lies: `folder`/`name`.gz, or `folder`/`name` where there is no such .gz. The
 * caller frees the path. Fails where neither exists. */
char *find_idx_file(const char *folder, const char *name);

/* Reads a file of images, one byte a pixel, row by row from the top. Fails, besides what the top
 * of this header lists, where the images are not of the given size. Free with free_idx_file(). */
idx_file read_idx_images(const char *path, size_t height, size_t width);

/* Reads a file of labels. Fails also where a label is not in 0 .. classes-1. Free with
 * free_idx_file(). */
idx_file read_idx_labels(const char *path, size_t classes);

/* Releases the elements. */
void free_idx_file(idx_file *file);

#endif
