/* Signals to a training: SIGINT and SIGTERM ask it to save and end, SIGUSR1 to save and go on. A
 * second SIGINT or SIGTERM ends it at once. */
#ifndef TRAIN_SIGNALS_H
#define TRAIN_SIGNALS_H

#include <stdbool.h>

/* From here on; a signal that the caller's process ignores, as nohup does, stays ignored. Asking to
 * save is harmless from the start, asking to stop ends the program by itself until there is
 * something to save. From watch_stop_signals() on a file that grows beyond a limit is an error and
 * no signal. */
void watch_save_requests(void);
void watch_stop_signals(void);

/* Lets output that nobody reads be lost instead of waiting: from the first SIGINT or SIGTERM on, or
 * at once. A launcher that has sent one may read no more until the program ends. */
void drop_unread_output_at_stop(void);
void drop_unread_output(void);

/* SIGINT or SIGTERM, whichever came; 0: neither. Any thread. */
int train_stop_signal(void);

/* Whether SIGUSR1 has come since the last call. */
bool take_save_request(void);

#endif
