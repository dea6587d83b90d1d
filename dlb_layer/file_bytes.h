/* Whole files to and from memory. */
#ifndef FILE_BYTES_H
#define FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Reads all of `path`, whatever its name's bytes. Returns a fresh block of *size bytes and a zero
 * after them, which the caller frees; NULL with errno set if the file cannot be opened or read.
 * Ends the program where memory runs out. Any number of threads. */
char *read_file_bytes(const char *path, size_t *size);

/* Writes `size` bytes into `path`, aside and renamed, so that what is there stays until the new
 * file is whole; to_disk: not before the disk has it, so that it outlives a crash of the machine.
 * Ends the program if that fails, leaving nothing. */
void write_file_bytes(const char *path, const void *bytes, size_t size, bool to_disk);

#endif
