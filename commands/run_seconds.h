/* How long a run has taken in all its processes, also in those that were killed. A file keeps what
 * the earlier ones took and when the current one began; a killed one lived until it last wrote. */
#ifndef DLB_RUN_SECONDS_H
#define DLB_RUN_SECONDS_H

#include <stddef.h>

/* What the processes so far took, by the file at `path`, which the last one began, and by the times
 * at which the (count) files in `written` were last written; 0 without the file. Fails, with its
 * name, where it holds something else. */
double seconds_so_far(const char *path, const char *const *written, size_t count);

/* Notes at `path` that a process begins at `start`, in seconds since 1970, and that those before it
 * took so many seconds. Fails where that cannot be written. */
void note_start(const char *path, double so_far, double start);

#endif
