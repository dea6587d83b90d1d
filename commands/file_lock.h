/* Locks between processes: what holds one ends with it, however it ends. */
#ifndef DLB_FILE_LOCK_H
#define DLB_FILE_LOCK_H

#include <stdbool.h>

/* Locks the file at `path`, which is made where it is missing, and waits up to `seconds` where
 * another process has it. Programs that are started meanwhile have the lock too if `inherited`, so
 * that it lasts until they have ended as well.
 *
 * Returns the descriptor to close(), or -1 where the other process kept it. Fails where the file
 * cannot be opened or locked at all. */
int lock_file(const char *path, double seconds, bool inherited);

#endif
