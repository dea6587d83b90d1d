#include "train_list.h"

#include "data_line.h"
#include "fail.h"
#include "file_bytes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Reads `file` into a fresh string. */
static char *read_text(const char *file) {
    size_t size;
    char *text = read_file_bytes(file, &size);
    if (!text)
        fail("cannot read %s: %s", file, strerror(errno));
    if (strlen(text) != size)
        fail("%s is not a text file: byte %zu is zero", file, strlen(text));
    skip_byte_order_mark(text);
    return text;
}

/* Ends the line that starts at `line` and returns the next line, or NULL after the last one. */
static char *split_line(char *line) {
    char *end = line + strcspn(line, "\n");
    char *next = *end ? end + 1 : NULL;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    return next && *next ? next : NULL;
}

static int count_lines(const char *text) {
    size_t lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    if (lines > INT_MAX)
        fail("a list of %zu lines is longer than an int can count", lines);
    return (int)lines;
}

char **read_lines(const char *file, int *count) {
    char *text = read_text(file);
    char **lines = allocate((size_t)count_lines(text), sizeof *lines);
    *count = 0;
    for (char *line = *text ? text : NULL, *next; line; line = next) {
        next = split_line(line);
        lines[(*count)++] = format_string("%s", line);
    }
    free(text);
    return lines;
}

/* The lines that have no label or several, for the one sentence about all of them. */
typedef struct {
    int count;
    char *examples;
} mislabelled;

static void add_mislabelled(mislabelled *bad, const char *path, const char *why) {
    enum { EXAMPLES = 5 };
    if (bad->count++ >= EXAMPLES)
        return;
    char *longer = format_string("%s%s%s (%s)", bad->examples ? bad->examples : "",
                                 bad->examples ? ", " : "", path, why);
    free(bad->examples);
    bad->examples = longer;
}

static int label_of_line(char *path, class_names *names, int classes, mislabelled *bad) {
    char *tab = strrchr(path, '\t');
    int label;
    if (tab == path) {
        add_mislabelled(bad, tab + 1, "a class without a path");
        return NO_LABEL;
    }
    if (tab) {
        *tab = '\0';
        label = class_named(names, tab + 1);
        if (label == NO_LABEL) {
            char *why = format_string("no class is called \"%s\"", tab + 1);
            add_mislabelled(bad, path, why);
            free(why);
        }
        return label;
    }
    int found = class_names_in_path(names, path, &label);
    if (found == 0 && classes > 1)
        add_mislabelled(bad, path, "none");
    if (found > 1)
        add_mislabelled(bad, path, "several");
    return label;
}

train_list train_list_read(const char *file, char *const *names, int classes) {
    train_list list = {0};
    mislabelled bad = {0};
    class_names *index = class_names_create(names, classes);
    list.text = read_text(file);
    int lines = count_lines(list.text);
    list.paths = allocate((size_t)lines, sizeof *list.paths);
    list.labels = allocate((size_t)lines, sizeof *list.labels);
    for (char *line = list.text, *next; line; line = next) {
        next = split_line(line);
        if (!names_image(line))
            continue;
        list.paths[list.count] = line;
        list.labels[list.count++] = label_of_line(line, index, classes, &bad);
    }
    class_names_free(index);
    if (!list.count)
        fail("%s names no image", file);
    if (bad.count)
        fail("%s: %d of %d images have no label or several: %s%s", file, bad.count, list.count,
             bad.examples, bad.count > 5 ? ", ..." : "");
    return list;
}

void train_list_free(train_list *list) {
    free(list->paths);
    free(list->labels);
    free(list->text);
}
