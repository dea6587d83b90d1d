#include "class_names.h"
#include "fuzz_target.h"
#include "run_files.h"
#include "train_list.h"

#include <stdlib.h>

/* The names also serve as paths. */
FUZZ_TARGET(labels, "dlb_layer/train_list.c dlb_layer/class_names.c") {
    int count, label;
    char *path = file_of(data, size);
    char **names = read_lines(path, &count);
    class_names *index = class_names_create(names, count);
    for (int i = 0; i < count; i++) {
        class_names_in_path(index, names[i], &label);
        class_named(index, names[i]);
    }
    class_names_free(index);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(path);
}
