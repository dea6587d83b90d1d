#include "train_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal, save_request, drops_output;

/* A signal handler may call it. */
void drop_unread_output(void) {
    static const int outputs[] = {STDOUT_FILENO, STDERR_FILENO};
    int before = errno;
    for (int i = 0; i < 2; i++) {
        int flags = fcntl(outputs[i], F_GETFL);
        if (flags >= 0)
            fcntl(outputs[i], F_SETFL, flags | O_NONBLOCK);
    }
    errno = before;
}

void drop_unread_output_at_stop(void) {
    drops_output = 1;
}

/* Of the signals that ask to stop, those that are not ignored. */
static volatile sig_atomic_t watches_interrupt, watches_termination;

/* The second one, whichever it is, ends the program. */
static void ask_to_stop(int number) {
    stop_signal = number;
    if (watches_interrupt)
        signal(SIGINT, SIG_DFL);
    if (watches_termination)
        signal(SIGTERM, SIG_DFL);
    if (drops_output)
        drop_unread_output();
}

static void ask_to_save(int number) {
    (void)number;
    save_request = 1;
}

/* Returns whether it is watched: one that is ignored is not. */
static bool watch(int number, void (*handler)(int)) {
    struct sigaction before, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, NULL, &before);
    return before.sa_handler != SIG_IGN && sigaction(number, &action, NULL) == 0;
}

void watch_save_requests(void) {
    watch(SIGUSR1, ask_to_save);
}

void watch_stop_signals(void) {
    watches_interrupt = watch(SIGINT, ask_to_stop);
    watches_termination = watch(SIGTERM, ask_to_stop);
    signal(SIGXFSZ, SIG_IGN); /* a limit of a file's size is a failed write like any other */
}

int train_stop_signal(void) {
    return stop_signal;
}

bool take_save_request(void) {
    if (!save_request)
        return false;
    save_request = 0; /* never after it was seen to be 0: a signal in between would be lost */
    return true;
}
