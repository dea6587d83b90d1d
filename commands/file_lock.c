#include "file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

int lock_file(const char *path, double seconds, bool inherited) {
    enum { TRIES_A_SECOND = 20 };
    struct timespec pause = {.tv_nsec = 1000000000 / TRIES_A_SECOND};
    int file = open(path, O_RDWR | O_CREAT | (inherited ? 0 : O_CLOEXEC), 0666);
    if (file < 0)
        fail("cannot write %s: %s", path, strerror(errno));
    for (int tries = (int)(seconds * TRIES_A_SECOND); flock(file, LOCK_EX | LOCK_NB); tries--) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            fail("cannot lock %s: %s", path, strerror(errno));
        if (tries <= 0) {
            close(file);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return file;
}
