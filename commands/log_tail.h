/* The end of a file that another process is writing. */
#ifndef DLB_LOG_TAIL_H
#define DLB_LOG_TAIL_H

#include <stdint.h>

/* The last line that is not empty, of the last 4096 bytes and without what is not printable;
 * empty where there is none, or no file. The caller frees it. */
char *last_line_of(const char *path);

/* The iteration of the last whole line of a training's log; 0 where there is none yet. */
uint64_t last_logged_iteration(const char *path);

#endif
