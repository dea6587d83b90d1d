/* The keys of [avgpool] that make it a pooling of windows; without them it is one average of the
 * whole picture. */
#ifndef DLB_AVGPOOL_KEYS_H
#define DLB_AVGPOOL_KEYS_H

#include "darknet.h"

typedef struct {
    int size, stride; /* size 0: no windows */
    int padding;      /* rows and columns, half of them above and left, as in [maxpool] */
} avgpool_keys;

/* Host seam: size (default: the stride), stride (default 1), padding (default 0) of a section above
 * which stands a picture of `width` x `height`. Ends the program with one sentence if a value is no
 * number in its range, padding comes without the others or is not less than size, or a window is
 * larger than the picture. */
avgpool_keys read_avgpool_keys(const char *cfg_file, list *options, int width, int height);

#endif
