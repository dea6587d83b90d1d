/* The size that an image file claims in its header, before a decoder asks for the memory. */
#ifndef IMAGE_CLAIM_H
#define IMAGE_CLAIM_H

#include <stddef.h>
#include <stdint.h>

/* An image's pixels, and each of its sides, are at most so many. Decoded and as floats, as many
 * pixels take 2 GiB. */
enum { MOST_PIXELS = 1 << 27, LONGEST_SIDE = 1 << 20 };

/* A fresh sentence, which the caller frees, where `data`, the first `size` bytes of an image file,
 * claims more than that; NULL where it does not, or claims nothing that can be told. PNG, JPEG and
 * PNM are read here, because decoders refuse absurd sizes without telling them; the rest of what
 * stb_image knows through that. Any number of threads. */
char *find_absurd_size(const unsigned char *data, size_t size);

/* Host seam: ends the program where the file claims too much, naming it. Nothing happens where it
 * cannot be read. */
void refuse_absurd_image(const char *path);

#endif
