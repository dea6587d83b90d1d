/* A file of named blocks of bytes, with a version, its size and a checksum:
 *
 *     "DLBSTATE", version (4 bytes), 4 bytes of 0, size of the file (8)
 *     for each block: name (24, filled with 0), size (8), bytes
 *     zlib's crc32 of all before (4)
 *
 * Numbers are in this machine's byte order; another one finds another version. */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include "safe_file.h"

#include <stddef.h>

enum { STATE_FILE_VERSION = 1, STATE_NAME_BYTES = 24 };

/* ---- writing ---- */

typedef struct state_writer state_writer;

/* Adds a block. Names are different and shorter than STATE_NAME_BYTES. */
void put_state(state_writer *writer, const char *name, const void *bytes, size_t size);

/* Calls put_state() for each block. It is called twice, first to learn the size, and must put the
 * same blocks. */
typedef void (*state_content)(state_writer *writer, void *context);

/* Writes `path`, to disk. Returns NULL, or a fresh sentence with `path` gone. */
char *write_state_file(const char *path, state_content content, void *context);

/* ---- reading ---- */

typedef struct state_file state_file;

/* Reads all of `path` and checks it. Returns NULL where that is no whole file of this version, with
 * a fresh sentence in *error; or with NULL there, where there is no such file. The caller releases
 * it with state_file_free(). */
state_file *read_state_file(const char *path, char **error);

/* All ranks get what rank 0 has read, which may be NULL; on the others `file` is NULL. Each
 * releases its own. */
state_file *share_state_file(state_file *file);

/* Accepts NULL. */
void state_file_free(state_file *file);

/* The name of the file, and the block of this name with its size; NULL without. They belong to
 * `file`. Blocks are not aligned. */
const char *state_file_path(const state_file *file);
const void *find_state(const state_file *file, const char *name, size_t *size);

/* Copies the block into `to`, (size). Ends the program, naming the file, where there is none of
 * this size. */
void get_state(const state_file *file, const char *name, void *to, size_t size);

#endif
