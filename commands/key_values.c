#include "key_values.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "file_bytes.h"
#include "parse_number.h"

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

/* Cuts the text into keys and values, in place. */
static void split_lines(key_values *file) {
    char *line = file->text;
    for (size_t i = 0; i < file->count; i++) {
        char *end = strchr(line, '\n');
        *end = '\0';
        char *equals = strchr(line, '=');
        if (!equals)
            fail("%s, line %zu: \"%s\" is not KEY=VALUE", file->path, i + 1, line);
        *equals = '\0';
        file->keys[i] = line;
        file->values[i] = equals + 1;
        line = end + 1;
    }
}

static const char *find_value(const key_values *file, const char *key) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->keys[i], key) == 0)
            return file->values[i];
    return NULL;
}

static void check_keys(const key_values *file, const char *const *expected, size_t count) {
    for (size_t i = 0; i < file->count; i++) {
        size_t e = 0;
        while (e < count && strcmp(file->keys[i], expected[e]) != 0)
            e++;
        if (e == count)
            fail("%s, line %zu: unknown key \"%s\"", file->path, i + 1, file->keys[i]);
        if (find_value(file, file->keys[i]) != file->values[i])
            fail("%s, line %zu: a second \"%s\"", file->path, i + 1, file->keys[i]);
    }
    for (size_t e = 0; e < count; e++)
        if (!find_value(file, expected[e]))
            fail("%s does not say \"%s\"", file->path, expected[e]);
}

key_values read_key_values(const char *path, const char *const *expected, size_t count) {
    size_t size;
    key_values file = {format_string("%s", path), read_file_bytes(path, &size)};
    if (!file.text)
        fail("cannot read %s: %s", path, strerror(errno));
    if (strlen(file.text) != size)
        fail("%s holds a zero byte, but is a text file", path);
    file.count = count_lines(file.text);
    if (size > 0 && file.text[size - 1] != '\n')
        fail("%s, line %zu: the last line is cut, it does not end in a line feed", path,
             file.count + 1);
    file.keys = allocate(file.count, sizeof *file.keys);
    file.values = allocate(file.count, sizeof *file.values);
    split_lines(&file);
    check_keys(&file, expected, count);
    return file;
}

const char *text_value(const key_values *file, const char *key) {
    return find_value(file, key);
}

uint64_t whole_value(const key_values *file, const char *key, uint64_t least) {
    uint64_t value;
    const char *text = find_value(file, key);
    if (!parse_whole(text, &value) || value < least)
        fail("%s: %s=%s is not a whole number of at least %llu", file->path, key, text,
             (unsigned long long)least);
    return value;
}

double number_value(const key_values *file, const char *key) {
    double value;
    const char *text = find_value(file, key);
    if (!parse_real(text, &value) || !isfinite(value) || value < 0)
        fail("%s: %s=%s is not a number of at least 0", file->path, key, text);
    return value;
}

void free_key_values(key_values *file) {
    free(file->path);
    free(file->text);
    free(file->keys);
    free(file->values);
}
