/* Threads that are kept when their work is done and take up other work later: libraries keep some
 * memory for each thread that ever called them, until the program ends, and each validation has
 * workers of its own.
 *
 * Any thread may call these functions. */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H

typedef struct worker worker;

/* Has a thread call work(context): one that is idle, otherwise a new one. NULL where that cannot be
 * started. Hand it back with finish_worker(). */
worker *start_worker(void (*work)(void *context), void *context);

/* Waits until the work has returned. */
void finish_worker(worker *w);

#endif
