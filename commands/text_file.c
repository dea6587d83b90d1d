#include "text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "file_bytes.h"
#include "folders.h"

bool has_content(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > 0;
}

/* The lines may be long: only their beginnings are shown. */
_Noreturn static void fail_different(const char *path, const char *there, const char *now) {
    enum { SHOWN = 100 };
    size_t line = 1, start = 0;
    for (size_t i = 0; there[i] && there[i] == now[i]; i++)
        if (there[i] == '\n') {
            line++;
            start = i + 1;
        }
    int there_length = (int)strcspn(there + start, "\n"),
        now_length = (int)strcspn(now + start, "\n");
    fail("%s is there already and holds something else than would be written now (line %zu: "
         "\"%.*s\" "
         "there, \"%.*s\" now): choose another folder, or remove what is in this one",
         path, line, there_length < SHOWN ? there_length : SHOWN, there + start,
         now_length < SHOWN ? now_length : SHOWN, now + start);
}

bool is_written(const text_file *file) {
    size_t size;
    if (!has_content(file->path))
        return false;
    char *found = read_file_bytes(file->path, &size);
    if (!found)
        fail("cannot read %s: %s", file->path, strerror(errno));
    if (size != strlen(file->text) || memcmp(found, file->text, size) != 0)
        fail_different(file->path, found, file->text);
    free(found);
    return true;
}

static void write_aside(const char *path, const void *bytes, size_t size, bool to_disk) {
    char *temporary = format_string("%s.tmp", path);
    FILE *stream = fopen(temporary, "wb");
    if (!stream)
        fail("cannot write %s: %s", path, strerror(errno));
    bool good = fwrite(bytes, 1, size, stream) == size && fflush(stream) == 0 &&
                (!to_disk || fsync(fileno(stream)) == 0);
    int reason = errno;
    if (fclose(stream) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good) {
        unlink(temporary);
        fail("cannot write %s: %s", path, strerror(reason));
    }
    rename_or_fail(temporary, path);
    free(temporary);
}

void write_text_file(const text_file *file) {
    write_aside(file->path, file->text, strlen(file->text), true);
}

void write_bytes(const char *path, const void *bytes, size_t size) {
    write_aside(path, bytes, size, false);
}
