#include "classifier_data.h"

#include "class_names.h"
#include "fail.h"
#include "option_list.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static char *find_text(const char *data_file, list *options, char *key, char *otherwise) {
    char *value = option_find_str(options, key, otherwise);
    if (!value)
        fail("%s has no line %s=", data_file, key);
    return value;
}

static int find_count(const char *data_file, list *options, char *key, int otherwise) {
    char *value = option_find(options, key), *end;
    if (!value)
        return otherwise;
    errno = 0;
    long count = strtol(value, &end, 10);
    if (end == value || *end || errno || count < 1 || count > INT_MAX)
        fail("%s: %s=%s is not a number of at least 1", data_file, key, value);
    return (int)count;
}

void check_classes(const char *data_file, int classes, const char *cfg_file, network *net) {
    if (classes != net->outputs)
        fail("%s has classes=%d, but the network of %s has %d outputs", data_file, classes,
             cfg_file, net->outputs);
}

void check_image_input(const char *cfg_file, const network *net) {
    enum { CHANNELS = 3 };
    if (net->c != CHANNELS)
        fail("%s: channels=%d, but a classifier's images have %d", cfg_file, net->c, CHANNELS);
    if (net->batch < 1)
        fail("%s: batch/subdivisions leaves no row for a micro-batch", cfg_file);
    if (net->inputs != net->w * net->h * net->c)
        fail("%s: inputs=%d, but width=%d, height=%d and channels=%d make %d", cfg_file,
             net->inputs, net->w, net->h, net->c, net->w * net->h * net->c);
}

static char **read_names(const char *data_file, const char *names_file, int classes, int *count) {
    char **names = read_lines(names_file, count);
    if (*count < classes)
        fail("%s has %d class names, but %s has classes=%d", names_file, *count, data_file,
             classes);
    class_names *index = class_names_create(names, classes);
    for (int k = 0; k < classes; k++) {
        if (!*names[k])
            fail("%s: line %d, the name of a class, is empty", names_file, k + 1);
        if (class_named(index, names[k]) != k)
            fail("%s: line %d repeats the class name \"%s\"", names_file, k + 1, names[k]);
    }
    class_names_free(index);
    return names;
}

/* Reads the list that the key `which` names. */
static classifier_data read_list(char *data_file, list *options, char *which, const char *cfg_file,
                                 network *net) {
    if (option_find_int_quiet(options, "tag", 0))
        fail("%s: tag=1, several tags an image, is only for -stock_loader", data_file);
    classifier_data data = {.classes = find_count(data_file, options, "classes", 2),
                            .top = find_count(data_file, options, "top", 1)};
    check_classes(data_file, data.classes, cfg_file, net);
    char *tree_file = option_find_str(options, "tree", 0);
    data.hierarchy = tree_file ? read_tree(tree_file) : net->hierarchy;
    if (data.hierarchy && data.hierarchy->n != data.classes)
        fail("%s has classes=%d, but the tree of %s has %d", data_file, data.classes,
             tree_file ? tree_file : cfg_file, data.hierarchy->n);
    data.list_file = format_string("%s", find_text(data_file, options, which, "data/train.list"));
    int count;
    char **names =
        read_names(data_file, find_text(data_file, options, "labels", "data/labels.list"),
                   data.classes, &count);
    data.list = train_list_read(data.list_file, names, data.classes);
    free_ptrs((void **)names, count);
    return data;
}

static void free_options(list *options) {
    free_list_contents(options);
    free_list(options);
}

classifier_data read_classifier_data(char *data_file, const char *cfg_file, network *net,
                                     const char *backup) {
    list *options = read_data_cfg(data_file);
    if (!backup)
        backup = find_text(data_file, options, "backup", NULL);
    classifier_data data = read_list(data_file, options, "train", cfg_file, net);
    data.backup = format_string("%s", backup);
    free_options(options);
    return data;
}

classifier_data read_validation_data(char *data_file, const char *cfg_file, network *net) {
    list *options = read_data_cfg(data_file);
    classifier_data data = read_list(data_file, options, "valid", cfg_file, net);
    char *leaves = option_find_str(options, "leaves", 0);
    if (leaves && net->hierarchy)
        change_leaves(net->hierarchy, leaves);
    free_options(options);
    return data;
}

bool has_validation_list(char *data_file) {
    list *options = read_data_cfg(data_file);
    bool found = option_find(options, "valid") != NULL;
    free_options(options);
    return found;
}

void free_classifier_data(classifier_data *data) {
    train_list_free(&data->list);
    free(data->list_file);
    free(data->backup);
}
