#include "fingerprint.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

void fingerprint_add(fingerprint *print, const char *name, const char *text) {
    size_t more = strlen(name) + strlen(text) + 2;
    char *bytes = allocate(print->size + more, 1);
    if (print->size)
        memcpy(bytes, print->bytes, print->size);
    memcpy(bytes + print->size, name, strlen(name) + 1);
    memcpy(bytes + print->size + strlen(name) + 1, text, strlen(text) + 1);
    free(print->bytes);
    print->bytes = bytes;
    print->size += more;
}

void fingerprint_free(fingerprint *print) {
    free(print->bytes);
    *print = (fingerprint){0};
}

/* The string after the one at `at`; NULL at the end. */
static const char *next_string(const char *at, const char *end) {
    at = memchr(at, '\0', (size_t)(end - at));
    return at && at + 1 < end && memchr(at + 1, '\0', (size_t)(end - at) - 1) ? at + 1 : NULL;
}

const char *fingerprint_text(const char *bytes, size_t size, const char *name) {
    const char *end = bytes + size;
    const char *at = size && memchr(bytes, '\0', size) ? bytes : NULL;
    while (at) {
        const char *text = next_string(at, end);
        if (!text || strcmp(at, name) == 0)
            return text;
        at = next_string(text, end);
    }
    return NULL;
}

static size_t line_length(const char *line) {
    return strcspn(line, "\r\n");
}

static char *describe(const char *name, const char *was, const char *is) {
    int line = 1;
    bool lines = strchr(was, '\n') || strchr(is, '\n');
    while (lines && *was && *is && line_length(was) == line_length(is) &&
           !strncmp(was, is, line_length(is))) {
        was += strcspn(was, "\n");
        is += strcspn(is, "\n");
        was += *was != '\0';
        is += *is != '\0';
        line++;
    }
    if (lines)
        return format_string("line %d of the %s was \"%.*s\" and is \"%.*s\"", line, name,
                             (int)line_length(was), was, (int)line_length(is), is);
    return format_string("the %s was %s and is %s", name, was, is);
}

char *fingerprint_difference(const char *bytes, size_t size, const fingerprint *now) {
    const char *end = now->bytes + now->size;
    for (const char *name = now->size ? now->bytes : NULL; name;) {
        const char *is = next_string(name, end);
        const char *was = fingerprint_text(bytes, size, name);
        if (!was || strcmp(was, is) != 0)
            return describe(name, was ? was : "another one", is);
        name = next_string(is, end);
    }
    return NULL;
}
