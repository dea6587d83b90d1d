/* Text files that appear under their names only when they are whole. */
#ifndef DLB_TEXT_FILE_H
#define DLB_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A text file to be made; both strings are owned. */
typedef struct {
    char *path;
    char *text;
} text_file;

/* Whether there is something at `path`. Writing is by rename, so a file that has its name and is
 * not empty is whole. */
bool has_content(const char *path);

/* Whether the file is there. One that holds something else is not ours to overwrite: fails,
 * naming the first line that differs. */
bool is_written(const text_file *file);

/* Writes it aside, to the disk, and renames it. Fails where that does, leaving nothing. */
void write_text_file(const text_file *file);

#endif
