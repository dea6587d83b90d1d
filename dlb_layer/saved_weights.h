/* Weights files, in the host's format, written whole or not at all, and loaded back. None is
 * written from a network with NaN or infinities: that ends the program. */
#ifndef SAVED_WEIGHTS_H
#define SAVED_WEIGHTS_H

#include "darknet.h"
#include "safe_file.h"

/* Writes the network's weights to `path`: aside, to disk, then renamed into place. Says so on
 * standard error, as the host does. Returns NULL or a fresh sentence. */
char *save_weights_file(network *net, const char *path);

/* Writes them to `path` itself; *sum receives what was written. Returns NULL, or a fresh sentence
 * with `path` gone. */
char *write_weights_file(network *net, const char *path, file_sum *sum);

/* Loads what one of these functions wrote, all of it: the keys dontload, dontloadscales, numload
 * and flipped are for weights of other networks. Not for networks with dontsave=1. */
void load_own_weights(network *net, char *path);

/* ---- host seam ---- */

/* What save_weights_upto() does: writes the first `cutoff` layers and ends the program where that
 * fails. */
void save_weights_or_fail(network *net, const char *path, int cutoff);

#endif
