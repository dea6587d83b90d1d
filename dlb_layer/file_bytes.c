#include "file_bytes.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
