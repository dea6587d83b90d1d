#include "log_tail.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

enum { TAIL = 4096 };

/* Up to TAIL bytes as a string; fresh. */
static char *read_tail(const char *path) {
    char *bytes = allocate(TAIL + 1, 1);
    FILE *file = fopen(path, "rb");
    if (!file)
        return bytes;
    if (fseek(file, -TAIL, SEEK_END))
        rewind(file); /* it is shorter */
    bytes[fread(bytes, 1, TAIL, file)] = '\0';
    fclose(file);
    return bytes;
}

static void cut_blanks_at_end(char *text) {
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

char *last_line_of(const char *path) {
    char *bytes = read_tail(path);
    cut_blanks_at_end(bytes);
    const char *newline = strrchr(bytes, '\n'), *from = newline ? newline + 1 : bytes;
    char *line = allocate(strlen(from) + 1, 1), *to = line;
    for (; *from; from++)
        if (!iscntrl((unsigned char)*from))
            *to++ = *from;
    free(bytes);
    return line;
}

uint64_t last_logged_iteration(const char *path) {
    char *bytes = read_tail(path), *end = strrchr(bytes, '\n');
    uint64_t iteration = 0;
    if (end) {
        *end = '\0';
        const char *start = strrchr(bytes, '\n');
        iteration = strtoull(start ? start + 1 : bytes, NULL, 10);
    }
    free(bytes);
    return iteration;
}
