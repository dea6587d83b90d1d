/* Text files that are either whole or not there. */
#ifndef DLB_WHOLE_FILE_H
#define DLB_WHOLE_FILE_H

#include <stdio.h>

/* A text that is being composed in memory. */
typedef struct {
    FILE *stream; /* write here */
    char *bytes;
    size_t size;
} text_buffer;

/* Starts an empty text. Release it with write_whole_file(), which takes the text. The struct must
 * stay where it is until then. */
void open_text(text_buffer *text);

/* Writes the text to `path`: aside, to disk, then renamed into place, so that what was there stays
 * until the new file is whole. Frees the text. Fails where it cannot be written. */
void write_whole_file(const char *path, text_buffer *text);

#endif
