#include "whole_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

void open_text(text_buffer *text) {
    *text = (text_buffer){0};
    text->stream = open_memstream(&text->bytes, &text->size);
    if (!text->stream)
        fail("out of memory for a text");
}

static void close_text(text_buffer *text) {
    bool good = !ferror(text->stream);
    if (fclose(text->stream) != 0 || !good)
        fail("out of memory for a text of more than %zu bytes", text->size);
    text->stream = NULL;
}

/* Returns 0, or what went wrong as an errno. */
static int write_bytes(const char *path, const text_buffer *text) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return errno;
    bool good = fwrite(text->bytes, 1, text->size, file) == text->size && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    int reason = good ? 0 : errno;
    if (fclose(file) != 0 && good)
        reason = errno;
    return reason;
}

void write_whole_file(const char *path, text_buffer *text) {
    close_text(text);
    char *aside = format_string("%s.tmp", path);
    int reason = write_bytes(aside, text);
    if (reason) {
        unlink(aside);
        fail("cannot write %s: %s", path, strerror(reason));
    }
    if (rename(aside, path) != 0)
        fail("cannot rename %s to %s: %s", aside, path, strerror(errno));
    free(aside);
    free(text->bytes);
}
