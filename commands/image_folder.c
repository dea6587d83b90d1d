#include "image_folder.h"

#include <stdlib.h>
#include <string.h>

#include "class_names.h"
#include "fail.h"
#include "image_files.h"

static const char *const roots[] = {"train", "val", NULL};

static void add_file(image_files halves[SETS], file_tree *tree, const char *src, const char *file,
                     const char *below) {
    path_parts split = split_path(below);
    if (split.count != 3)
        fail("%s/%s does not lie in %s/CLASS/", src, file, split.parts[0]);
    int s = strcmp(split.parts[0], "train") == 0 ? TRAIN : VALID;
    add_image_file(&halves[s], tree, src, file, split.parts[1]);
    free(split.text);
}

static bool gather(const char *src, image_files halves[SETS]) {
    char *top = NULL;
    file_tree *tree = open_file_tree(src);
    bool in_archive = is_in_archive(tree);
    for (const char *file; (file = next_file(tree));) {
        const char *below = below_top(src, &top, file, roots);
        if (below)
            add_file(halves, tree, src, file, below);
    }
    close_file_tree(tree);
    free(top);
    return in_archive;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The different keys, sorted; they stay the files' own. The caller frees the array. */
static char **list_classes(const image_files *files, size_t *classes) {
    char **keys = allocate(files->count, sizeof *keys);
    for (size_t i = 0; i < files->count; i++)
        keys[i] = files->items[i].key;
    qsort(keys, files->count, sizeof *keys, by_text);
    *classes = 0;
    for (size_t i = 0; i < files->count; i++)
        if (i == 0 || strcmp(keys[i], keys[i - 1]) != 0)
            keys[(*classes)++] = keys[i];
    return keys;
}

static void label_files(const char *src, image_files halves[SETS], char *const *classes,
                        size_t count) {
    class_names *index = class_names_create(classes, (int)count);
    bool *validated = allocate(count, sizeof *validated);
    for (int s = 0; s < SETS; s++)
        for (size_t i = 0; i < halves[s].count; i++) {
            image_file *image = &halves[s].items[i];
            image->label = class_named(index, image->key);
            if (image->label == NO_LABEL)
                fail("%s holds the class \"%s\" in val/, but not in train/", src, image->key);
            validated[image->label] |= s == VALID;
        }
    for (size_t k = 0; k < count; k++)
        if (!validated[k])
            fail("%s holds the class \"%s\" in train/, but not in val/", src, classes[k]);
    free(validated);
    class_names_free(index);
}

data_set read_image_folder(const char *src) {
    image_files halves[SETS] = {{0}};
    data_set set = {0};
    size_t count;
    bool in_archive = gather(src, halves);
    char **classes = list_classes(&halves[TRAIN], &count);
    label_files(src, halves, classes, count);
    name_classes(&set, count, (const char *const *)classes);
    free(classes);
    set.sets[TRAIN] = image_files_to_set(&halves[TRAIN], src, in_archive, "train/CLASS/");
    set.sets[VALID] = image_files_to_set(&halves[VALID], src, in_archive, "val/CLASS/");
    set.archive = in_archive ? format_string("%s", src) : NULL;
    set.checked = in_archive ? "files and labels" : "paths and labels";
    return set;
}
