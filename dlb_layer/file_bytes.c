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

/* Returns 0, or what went wrong as an errno. */
static int write_all(const char *path, const void *bytes, size_t size, bool to_disk) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return errno;
    bool good = fwrite(bytes, 1, size, file) == size && fflush(file) == 0 &&
                (!to_disk || fsync(fileno(file)) == 0);
    int reason = good ? 0 : errno;
    if (fclose(file) != 0 && good)
        reason = errno;
    return reason;
}

void write_file_bytes(const char *path, const void *bytes, size_t size, bool to_disk) {
    char *aside = format_string("%s.tmp", path);
    int reason = write_all(aside, bytes, size, to_disk);
    if (!reason && rename(aside, path))
        reason = errno;
    if (reason) {
        unlink(aside);
        fail("cannot write %s: %s", path, strerror(reason));
    }
    free(aside);
}
