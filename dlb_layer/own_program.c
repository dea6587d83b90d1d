#include "own_program.h"

#include "fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *own_program(void) {
    for (size_t room = 256;; room *= 2) {
        char *path = allocate(room, 1);
        ssize_t length = readlink("/proc/self/exe", path, room);
        if (length < 0)
            fail("cannot find this program's own file: %s", strerror(errno));
        if ((size_t)length < room)
            return path;
        free(path);
    }
}
