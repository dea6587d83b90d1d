#include "tiny_imagenet.h"

#include <stdlib.h>
#include <string.h>

#include "class_names.h"
#include "fail.h"
#include "image_files.h"

enum { WNIDS, WORDS, ANNOTATIONS, TEXTS };
static const char *const text_names[TEXTS] = {"wnids.txt", "words.txt", "val/val_annotations.txt"};
static const char *const roots[] = {"wnids.txt", "words.txt", "train", "val", NULL};

/* Strings in tables point into `texts`. */
typedef struct {
    const char *src;
    bool in_archive;
    char *texts[TEXTS];
    image_files halves[SETS];
    size_t classes;
    char **wnids;       /* (classes) */
    char **names;       /* (classes) */
    class_names *index; /* of wnids */
} source;

/* ---- gathering ---- */

static bool is_called(const path_parts *split, int part, const char *name) {
    return strcmp(split->parts[part], name) == 0;
}

/* Boxes, test images and what else may lie about are left out. */
static void add_if_image(source *s, file_tree *tree, const char *file, const char *below) {
    path_parts split = split_path(below);
    if (split.count == 4 && is_called(&split, 0, "train") && is_called(&split, 2, "images"))
        add_image_file(&s->halves[TRAIN], tree, s->src, file, split.parts[1]);
    else if (split.count == 3 && is_called(&split, 0, "val") && is_called(&split, 1, "images"))
        add_image_file(&s->halves[VALID], tree, s->src, file, split.parts[2]);
    free(split.text);
}

static void take_file(source *s, file_tree *tree, const char *file, const char *below) {
    size_t size;
    int t = 0;
    while (t < TEXTS && strcmp(below, text_names[t]) != 0)
        t++;
    if (t == TEXTS) {
        add_if_image(s, tree, file, below);
        return;
    }
    if (s->texts[t])
        fail("%s holds %s twice", s->src, file);
    s->texts[t] = read_tree_file(tree, &size);
    if (strlen(s->texts[t]) != size)
        fail("%s/%s is not a text file: byte %zu is zero", s->src, file, strlen(s->texts[t]));
}

static void gather(source *s) {
    char *top = NULL;
    file_tree *tree = open_file_tree(s->src);
    s->in_archive = is_in_archive(tree);
    for (const char *file; (file = next_file(tree));) {
        const char *below = below_top(s->src, &top, file, roots);
        if (below)
            take_file(s, tree, file, below);
    }
    close_file_tree(tree);
    free(top);
    for (int t = 0; t < TEXTS; t++)
        if (!s->texts[t])
            fail("%s holds no %s", s->src, text_names[t]);
}

/* ---- text files ---- */

/* Cuts the text into lines, without those that are empty; a carriage return ends one, too. The
 * caller frees the array. */
static char **cut_lines(char *text, size_t *count) {
    static const char ENDS[] = "\r\n";
    size_t room = 1;
    for (const char *c = text; *c; c++)
        room += strchr(ENDS, *c) != NULL;
    char **lines = allocate(room, sizeof *lines), *rest;
    *count = 0;
    for (char *line = strtok_r(text, ENDS, &rest); line; line = strtok_r(NULL, ENDS, &rest))
        lines[(*count)++] = line;
    return lines;
}

/* Ends the line at its first tab; what follows up to the next one is returned. */
static char *cut_second_field(const source *s, int text, char *line) {
    char *second = line;
    strsep(&second, "\t");
    if (!second || !*second)
        fail("%s: %s has a line without a second field: \"%s\"", s->src, text_names[text], line);
    second[strcspn(second, "\t")] = '\0';
    return second;
}

static void read_classes(source *s) {
    s->wnids = cut_lines(s->texts[WNIDS], &s->classes);
    if (s->classes < 2)
        fail("%s: wnids.txt holds %zu classes", s->src, s->classes);
    s->index = class_names_create(s->wnids, (int)s->classes);
    for (size_t k = 0; k < s->classes; k++)
        if (class_named(s->index, s->wnids[k]) != (int)k)
            fail("%s: wnids.txt holds %s twice", s->src, s->wnids[k]);
}

static void read_names(source *s) {
    size_t count;
    char **lines = cut_lines(s->texts[WORDS], &count);
    s->names = allocate(s->classes, sizeof *s->names);
    for (size_t i = 0; i < count; i++) {
        char *name = cut_second_field(s, WORDS, lines[i]);
        int k = class_named(s->index, lines[i]);
        if (k != NO_LABEL)
            s->names[k] = name;
    }
    for (size_t k = 0; k < s->classes; k++)
        if (!s->names[k])
            fail("%s: words.txt has no name for %s", s->src, s->wnids[k]);
    free(lines);
}

/* ---- labels ---- */

static void label_training(source *s) {
    image_files *files = &s->halves[TRAIN];
    size_t *counts = allocate(s->classes, sizeof *counts);
    for (size_t i = 0; i < files->count; i++) {
        files->items[i].label = class_named(s->index, files->items[i].key);
        if (files->items[i].label == NO_LABEL)
            fail("%s/%s: %s is not in wnids.txt", s->src, files->items[i].file,
                 files->items[i].key);
        counts[files->items[i].label]++;
    }
    for (size_t k = 1; k < s->classes; k++)
        if (counts[k] != counts[0])
            fail("%s is incomplete: it holds %zu images of %s for training, but %zu of %s", s->src,
                 counts[0], s->wnids[0], counts[k], s->wnids[k]);
    free(counts);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const image_file *)a)->key, ((const image_file *)b)->key);
}

static void label_one(const source *s, char *line) {
    const image_files *files = &s->halves[VALID];
    const char *wnid = cut_second_field(s, ANNOTATIONS, line);
    image_file key = {.key = line};
    image_file *image = bsearch(&key, files->items, files->count, sizeof key, by_key);
    if (!image)
        fail("%s: %s names %s, which is not in val/images/", s->src, text_names[ANNOTATIONS], line);
    if (image->label != NO_LABEL)
        fail("%s: %s names %s twice", s->src, text_names[ANNOTATIONS], line);
    image->label = class_named(s->index, wnid);
    if (image->label == NO_LABEL)
        fail("%s: %s gives %s to %s, which is not in wnids.txt", s->src, text_names[ANNOTATIONS],
             wnid, line);
}

static void label_validation(source *s) {
    image_files *files = &s->halves[VALID];
    size_t count;
    char **lines = cut_lines(s->texts[ANNOTATIONS], &count);
    if (files->count)
        qsort(files->items, files->count, sizeof *files->items, by_key);
    for (size_t i = 0; files->count && i < count; i++)
        label_one(s, lines[i]);
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].label == NO_LABEL)
            fail("%s: %s says nothing of %s", s->src, text_names[ANNOTATIONS], files->items[i].key);
    free(lines);
}

/* ---- the data set ---- */

/* The first of the names "goldfish, Carassius auratus" makes a label short enough to read. */
static void label_classes(data_set *set, const source *s) {
    name_classes(set, s->classes, (const char *const *)s->names);
    for (size_t k = 0; k < s->classes; k++) {
        s->names[k][strcspn(s->names[k], ",")] = '\0';
        free(set->labels[k]);
        set->labels[k] = numbered_label(k, s->classes, s->names[k]);
    }
}

data_set read_tiny_imagenet(const char *src) {
    source s = {.src = src};
    data_set set = {0};
    gather(&s);
    read_classes(&s);
    read_names(&s);
    label_training(&s);
    label_validation(&s);
    label_classes(&set, &s);
    set.sets[TRAIN] = image_files_to_set(&s.halves[TRAIN], src, s.in_archive, "training");
    set.sets[VALID] = image_files_to_set(&s.halves[VALID], src, s.in_archive, "validation");
    set.archive = s.in_archive ? format_string("%s", src) : NULL;
    set.checked = s.in_archive ? "files and labels" : "paths and labels";
    class_names_free(s.index);
    free(s.wnids);
    free(s.names);
    for (int t = 0; t < TEXTS; t++)
        free(s.texts[t]);
    return set;
}
