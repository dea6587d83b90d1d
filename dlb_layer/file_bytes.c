#include "file_bytes.h"

#include "fail.h"
#include "safe_file.h"

#include <errno.h>
#include <stdbool.h>
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

typedef struct {
    const void *bytes;
    size_t size;
} block;

static void write_block(FILE *file, void *context) {
    const block *b = context;
    fwrite(b->bytes, 1, b->size, file);
}

void write_file_bytes(const char *path, const void *bytes, size_t size, bool to_disk) {
    block b = {bytes, size};
    char *error = replace_file(path, ".tmp", to_disk, write_block, &b);
    if (error)
        fail("%s", error);
}
