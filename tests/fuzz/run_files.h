/* The files that a target's reader reads: made from the input, gone after the run. */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include <stddef.h>
#include <stdint.h>

/* The path of a file that holds these bytes. The caller frees it, as all paths here. */
char *file_of(const void *bytes, size_t size);

/* A string of these bytes, up to the first zero; the caller frees it. */
char *text_of(const uint8_t *data, size_t size);

/* The input as several files, in a text that people can write:
 *
 *     === NAME            begins a file; what follows, up to the next such line, is in it
 *     === NAME +1234      and so many zeros after that
 *
 * folder_of() writes them into a folder, but for names that would lead out of it. source_of() does
 * too, unless the input's first line is "tar" or "zip": then they are in such an archive. */
char *folder_of(const uint8_t *data, size_t size);
char *source_of(const uint8_t *data, size_t size);

/* Makes it the current folder until the run ends. */
void enter_folder(const char *folder);

/* After each run. */
void remove_run_files(void);

#endif
