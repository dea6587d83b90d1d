/* Files that are written whole: aside, to disk, then renamed into place. Whatever goes wrong comes
 * back as a sentence, so that a training can go on without the file.
 *
 * Any number of threads, each with paths of its own. */
#ifndef SAFE_FILE_H
#define SAFE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a file's bytes add up to: two files with the same sum are the same one. */
typedef struct {
    uint64_t size;
    uint32_t crc32; /* zlib's */
} file_sum;

/* Writes a file's content to `file`. What cannot be written is noticed by the caller. */
typedef void (*file_content)(FILE *file, void *context);

/* Writes `path` anew and closes it; to_disk: not before the disk has it, so that it outlives a
 * crash of the machine. *sum, unless NULL, receives what was written. Returns NULL, or a fresh
 * sentence that says what went wrong; `path` is gone then, unless it is a device. */
char *write_new_file(const char *path, bool to_disk, file_content content, void *context,
                     file_sum *sum);

/* Renames `from` to `to`, which it replaces; to_disk: as above. Returns NULL or a fresh sentence.
 */
char *move_file(const char *from, const char *to, bool to_disk);

/* Sees to it that the names of the files beside `path` outlive a crash. Returns NULL or a fresh
 * sentence. */
char *bring_names_to_disk(const char *path);

/* write_new_file() and move_file() in one: what is at `path` stays until the new file is whole.
 * Meanwhile it is called `path` and `suffix`, and gone where the sentence says that it cannot be
 * written. */
char *replace_file(const char *path, const char *suffix, bool to_disk, file_content content,
                   void *context);

/* Whether the bytes of the file at `path` add up to `sum`; false where it cannot be read. */
bool file_has_sum(const char *path, file_sum sum);

#endif
