#define _GNU_SOURCE /* memfd_create */

#include "quiet_parser.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"

/* The ways in which the host ends: exit(), fail(), and a signal after assert(0) or on a wild
 * pointer. */
static const int DEADLY_SIGNALS[] = {SIGABRT, SIGSEGV, SIGFPE};
enum { SIGNALS = sizeof DEADLY_SIGNALS / sizeof *DEADLY_SIGNALS };

static int heard = -1;          /* the file that takes what the parser says */
static int standard_error = -1; /* the real one while the parser runs; else -1 */
static struct sigaction old_actions[SIGNALS];

static void restore_standard_error(void) {
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    standard_error = -1;
}

/* Calls only what a signal handler may call. */
static void show_all(void) {
    char bytes[4096];
    ssize_t got;
    if (standard_error < 0)
        return;
    restore_standard_error();
    lseek(heard, 0, SEEK_SET);
    while ((got = read(heard, bytes, sizeof bytes)) > 0)
        if (write(STDERR_FILENO, bytes, (size_t)got) != got)
            return;
}

static void show_all_and_die(int number) {
    (void)number; /* the default action, which SA_RESETHAND brings back, follows */
    show_all();
}

static void hush(void) {
    static bool registered;
    if (!registered && atexit(show_all))
        fail("cannot register what is to be done at exit");
    registered = true;
    heard = memfd_create("parser", MFD_CLOEXEC);
    int real = dup(STDERR_FILENO);
    if (heard < 0 || real < 0 || dup2(heard, STDERR_FILENO) < 0)
        fail("cannot set standard error aside: %s", strerror(errno));
    standard_error = real;
    at_failure(show_all);
    struct sigaction action = {.sa_handler = show_all_and_die, .sa_flags = (int)SA_RESETHAND};
    for (int i = 0; i < SIGNALS; i++)
        sigaction(DEADLY_SIGNALS[i], &action, &old_actions[i]);
}

/* Some of these stand behind the number of the layer, in the middle of a line. */
static void show_warnings(const char *cfg_file) {
    static const char *const warnings[] = {"Unused field", "Couldn't find"};
    char *line = NULL;
    size_t room = 0;
    FILE *text = fdopen(heard, "r");
    if (!text)
        fail("cannot read what the parser said: %s", strerror(errno));
    rewind(text);
    while (getline(&line, &room, text) > 0)
        for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++) {
            const char *warning = strstr(line, warnings[i]);
            if (warning)
                fprintf(stderr, "%s: %s", cfg_file, warning);
        }
    free(line);
    fclose(text);
}

network *parse_network_quietly(char *cfg_file) {
    gpu_index = -1;
    hush();
    network *net = parse_network_cfg(cfg_file);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(DEADLY_SIGNALS[i], &old_actions[i], NULL);
    at_failure(NULL);
    restore_standard_error();
    show_warnings(cfg_file);
    return net;
}
