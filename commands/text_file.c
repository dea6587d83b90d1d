#include "text_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "file_bytes.h"

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

void write_text_file(const text_file *file) {
    write_file_bytes(file->path, file->text, strlen(file->text), true);
}
