#include "cfg_text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "train_list.h"

/* The line without blanks, as Darknet's parser sees it; fresh. */
static char *without_blanks(const char *line) {
    char *bare = allocate(strlen(line) + 1, 1), *to = bare;
    for (; *line; line++)
        if (!strchr(" \t\r", *line))
            *to++ = *line;
    return bare;
}

static bool names_section(const char *bare, const char *name) {
    size_t length = strlen(name);
    if (strcmp(name, "net") == 0 && strcmp(bare, "[network]") == 0)
        return true;
    return bare[0] == '[' && strncmp(bare + 1, name, length) == 0 &&
           strcmp(bare + 1 + length, "]") == 0;
}

static bool sets_key(const char *bare, const char *key) {
    size_t length = strlen(key);
    return strncmp(bare, key, length) == 0 && bare[length] == '=';
}

/* The index of the section's line, or -1. */
static int find_section(const cfg_text *cfg, const char *name) {
    int found = -1;
    for (int i = 0; i < cfg->count && found < 0; i++) {
        char *bare = without_blanks(cfg->lines[i]);
        if (names_section(bare, name))
            found = i;
        free(bare);
    }
    return found;
}

/* The index of the line after the section that starts at `start`. */
static int section_end(const cfg_text *cfg, int start) {
    int i = start + 1;
    for (bool next = false; i < cfg->count; i++) {
        char *bare = without_blanks(cfg->lines[i]);
        next = bare[0] == '[';
        free(bare);
        if (next)
            break;
    }
    return i;
}

/* The index of the line that sets `key` in the section that starts at `start`, or -1. */
static int find_key(const cfg_text *cfg, int start, const char *key) {
    for (int i = start + 1, end = section_end(cfg, start); i < end; i++) {
        char *bare = without_blanks(cfg->lines[i]);
        bool found = sets_key(bare, key);
        free(bare);
        if (found)
            return i;
    }
    return -1;
}

static void check_start(const cfg_text *cfg) {
    for (int i = 0; i < cfg->count; i++) {
        char *bare = without_blanks(cfg->lines[i]);
        bool empty = !*bare || *bare == '#' || *bare == ';', net = names_section(bare, "net");
        free(bare);
        if (net)
            return;
        if (!empty)
            break;
    }
    fail("%s does not start with [net]", cfg->path);
}

cfg_text read_cfg_text(const char *path) {
    cfg_text cfg = {.path = format_string("%s", path)};
    cfg.lines = read_lines(path, &cfg.count);
    check_start(&cfg);
    return cfg;
}

cfg_text copy_cfg_text(const cfg_text *cfg) {
    cfg_text copy = {.path = format_string("%s", cfg->path), .count = cfg->count};
    copy.lines = allocate((size_t)cfg->count, sizeof *copy.lines);
    for (int i = 0; i < cfg->count; i++)
        copy.lines[i] = format_string("%s", cfg->lines[i]);
    return copy;
}

void free_cfg_text(cfg_text *cfg) {
    for (int i = 0; i < cfg->count; i++)
        free(cfg->lines[i]);
    free(cfg->lines);
    free(cfg->path);
    *cfg = (cfg_text){0};
}

long find_net_number(const cfg_text *cfg, const char *key, long least, long otherwise) {
    int line = find_key(cfg, find_section(cfg, "net"), key);
    if (line < 0)
        return otherwise;
    char *bare = without_blanks(cfg->lines[line]), *value = strchr(bare, '=') + 1, *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (end == value || *end || errno || number < least || number > INT_MAX)
        fail("%s: %s=%s is not a whole number of at least %ld", cfg->path, key, value, least);
    free(bare);
    return number;
}

bool has_section(const cfg_text *cfg, const char *name) {
    return find_section(cfg, name) >= 0;
}

static void insert_line(cfg_text *cfg, int at, const char *line) {
    char **longer = realloc(cfg->lines, (size_t)(cfg->count + 1) * sizeof *longer);
    if (!longer)
        fail("out of memory for %d lines of %s", cfg->count + 1, cfg->path);
    cfg->lines = longer;
    memmove(longer + at + 1, longer + at, (size_t)(cfg->count - at) * sizeof *longer);
    longer[at] = format_string("%s", line);
    cfg->count++;
}

void set_cfg_value(cfg_text *cfg, const char *name, const char *key, const char *value) {
    int start = find_section(cfg, name);
    assert(start >= 0);
    int line = find_key(cfg, start, key);
    char *text = format_string("%s=%s", key, value);
    if (line < 0) {
        insert_line(cfg, start + 1, text);
    } else {
        free(cfg->lines[line]);
        cfg->lines[line] = format_string("%s", text);
    }
    free(text);
}

void append_cfg_line(cfg_text *cfg, const char *line) {
    insert_line(cfg, cfg->count, line);
}

void cut_section(cfg_text *cfg, const char *name) {
    int start = find_section(cfg, name);
    assert(start >= 0);
    int end = section_end(cfg, start);
    for (int i = start; i < end; i++)
        free(cfg->lines[i]);
    memmove(cfg->lines + start, cfg->lines + end, (size_t)(cfg->count - end) * sizeof *cfg->lines);
    cfg->count -= end - start;
}

void print_cfg_text(const cfg_text *cfg, FILE *out) {
    for (int i = 0; i < cfg->count; i++)
        fprintf(out, "%s\n", cfg->lines[i]);
}
