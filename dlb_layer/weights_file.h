/* A file of weights before the host reads it: whether it is whole and this network's.
 *
 * The file is a header, three ints (version) and the number of images seen, in 8 bytes from version
 * 0.2 on and in 4 before, and then floats, layer after layer, without a mark between them. The
 * oldest files have learning rate, momentum and decay in place of the version. */
#ifndef WEIGHTS_FILE_H
#define WEIGHTS_FILE_H

#include "darknet.h"

#include <stdio.h>

/* Host seam, with `open_file` at its start, where it is left: ends the program with one sentence if
 * `file` is not a regular file, its header is impossible, its size is not that of the weights of
 * layers start to cutoff - 1, or a value in it is NaN or infinite. May be longer where these are
 * not all layers. A file that ends with a layer, as `darknet partial` makes them, passes where
 * allow_partial_weights() was called, which standard error says. */
void check_weights_file(const network *net, const char *file, FILE *open_file, int start,
                        int cutoff);

/* Host seam, for commands that train: the other layers keep their initial weights. */
void allow_partial_weights(void);

#endif
