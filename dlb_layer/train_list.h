/* The training list: a path a line, its class found in the path or given after a tab. */
#ifndef TRAIN_LIST_H
#define TRAIN_LIST_H

#include "class_names.h"

typedef struct {
    int count;
    char **paths;
    int *labels; /* class index; NO_LABEL only where there is just one class */
    char *text;  /* the file's bytes, which `paths` points into */
} train_list;

/* Reads `file` and resolves every label. A line is `path`, whose class is the one whose name is
 * part of the path, as the host does it, or `path<TAB>class-name`. Blank lines and
 * comments are left out: see data_line.h; CRLF and a missing final newline are fine. names are the
 * (classes) class names. Ends the program with one sentence if the file is missing or has no image,
 * or if an image has no label or several (the first five and the count). The caller releases it
 * with train_list_free. */
train_list train_list_read(const char *file, char *const *names, int classes);

void train_list_free(train_list *list);

/* Reads the lines of a text file (class names, for instance) into fresh strings, CR and LF
 * removed; *count says how many. Ends the program if the file cannot be read. The caller frees
 * each line and the array. */
char **read_lines(const char *file, int *count);

#endif
