/* For unit tests that need one file: its name, made before the tests and removed after them. */
#ifndef TEMPORARY_FILE_H
#define TEMPORARY_FILE_H

#include <stdlib.h>
#include <unistd.h>

static char file[] = "/tmp/dlb_test.XXXXXX";

static inline int make_file(void **state) {
    (void)state;
    int descriptor = mkstemp(file);
    return descriptor < 0 ? -1 : close(descriptor);
}

static inline int remove_file(void **state) {
    (void)state;
    return unlink(file);
}

#endif
