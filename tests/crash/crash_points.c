/* Preloaded into a training: ends it with SIGKILL at a point that the environment names, or has
 * calls fail. No hook in the program is needed for that.
 *
 *     CRASH_CALL=n    the n-th of the calls open (to write), write, fsync and rename that name or
 *                     follow the folder CRASH_FOLDER, from 1
 *     CRASH_PART=p    0: before the call; 1: in its midst, a write half done; 2: after it
 *     CRASH_AFTER=us  so many microseconds after the first such call, whatever is running then
 *     STOP_CALL=n     stops (SIGSTOP) before the n-th call
 *     CRASH_COUNT=f   writes how many such calls there were to the file f at the end
 *     FAIL_CALL=name  these calls (write, fsync, rename) fail with EIO instead, those from number
 *     FAIL_FROM=n     n to
 *     FAIL_TO=n       n, counted by themselves */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FILES = 1024 };

static atomic_bool watched[MOST_FILES]; /* descriptors of files in the folder */
static atomic_long calls, failing_calls;

static long number_in(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void *die_later(void *argument) {
    (void)argument;
    usleep((useconds_t)number_in("CRASH_AFTER", 0));
    die();
    return NULL;
}

static void start_clock(void) {
    pthread_t thread;
    if (getenv("CRASH_AFTER"))
        pthread_create(&thread, NULL, die_later, NULL);
}

/* Which part of this call, if any, the program does not survive: 0, 1 or 2; -1: none. */
static int fatal_part(void) {
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call == 1)
        start_clock();
    if (call == number_in("STOP_CALL", -1))
        raise(SIGSTOP);
    if (call != number_in("CRASH_CALL", -1))
        return -1;
    int part = (int)number_in("CRASH_PART", 0);
    if (part == 0)
        die();
    return part;
}

static bool fails(const char *name) {
    const char *failing = getenv("FAIL_CALL");
    if (!failing || strcmp(failing, name) != 0)
        return false;
    long call = atomic_fetch_add(&failing_calls, 1) + 1;
    if (call < number_in("FAIL_FROM", 1) || call > number_in("FAIL_TO", 1))
        return false;
    errno = EIO;
    return true;
}

static bool is_in_folder(const char *path) {
    const char *folder = getenv("CRASH_FOLDER");
    return folder && strstr(path, folder);
}

static bool is_watched(int file) {
    return file >= 0 && file < MOST_FILES && watched[file];
}

int open(const char *path, int flags, ...) {
    static int (*next)(const char *, int, ...);
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (!next)
        next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    bool counts = (flags & (O_WRONLY | O_RDWR)) && is_in_folder(path);
    int part = counts ? fatal_part() : -1;
    int file = next(path, flags, mode);
    if (file >= 0 && file < MOST_FILES)
        watched[file] = is_in_folder(path);
    if (part > 0)
        die();
    return file;
}

ssize_t write(int file, const void *bytes, size_t size) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (!is_watched(file))
        return next(file, bytes, size);
    int part = fatal_part();
    if (fails("write"))
        return -1;
    ssize_t written = next(file, bytes, part == 1 ? size / 2 : size);
    if (part > 0)
        die();
    return written;
}

int fsync(int file) {
    static int (*next)(int);
    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int part = is_watched(file) ? fatal_part() : -1;
    if (is_watched(file) && fails("fsync"))
        return -1;
    int result = next(file);
    if (part > 0)
        die();
    return result;
}

int rename(const char *from, const char *to) {
    static int (*next)(const char *, const char *);
    if (!next)
        next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int part = is_in_folder(to) ? fatal_part() : -1;
    if (is_in_folder(to) && fails("rename"))
        return -1;
    int result = next(from, to);
    if (part > 0)
        die();
    return result;
}

__attribute__((destructor)) static void say_count(void) {
    const char *path = getenv("CRASH_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld\n", (long)calls);
    fclose(file);
}
