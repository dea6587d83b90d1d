#include "file_bytes.h"

#include "fail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *read_file_bytes(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    size_t used = 0, room = 1 << 16, got;
    char *data = allocate(room, 1);
    while ((got = fread(data + used, 1, room - used - 1, file)) > 0) {
        used += got;
        if (used + 1 < room)
            continue;
        room *= 2;
        char *larger = realloc(data, room);
        if (!larger)
            fail("out of memory: %zu bytes asked for to read %s", room, path);
        data = larger;
    }
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error) {
        free(data);
        errno = error;
        return NULL;
    }
    data[used] = '\0';
    *size = used;
    return data;
}

/* Whether all of it reached the disk; else errno says why not. */
static bool write_all(FILE *file, const void *bytes, size_t size) {
    bool good = fwrite(bytes, 1, size, file) == size && !fflush(file) && !fsync(fileno(file));
    int reason = errno;
    if (fclose(file) && good)
        return false;
    errno = reason;
    return good;
}

void write_file_bytes(const char *path, const void *bytes, size_t size) {
    char *unfinished = format_string("%s.new", path);
    FILE *file = fopen(unfinished, "wb");
    if (!file)
        fail("cannot write %s: %s", path, strerror(errno));
    if (!write_all(file, bytes, size) || rename(unfinished, path)) {
        int reason = errno;
        unlink(unfinished);
        fail("cannot write %s: %s", path, strerror(reason));
    }
    free(unfinished);
}
