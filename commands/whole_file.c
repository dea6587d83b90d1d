#include "whole_file.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fail.h"
#include "file_bytes.h"

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

void write_whole_file(const char *path, text_buffer *text) {
    close_text(text);
    write_file_bytes(path, text->bytes, text->size, true);
    free(text->bytes);
}
