#include "fuzz_target.h"
#include "run_files.h"
#include "train_list.h"

#include <stdlib.h>

FUZZ_TARGET(list, "dlb_layer/train_list.c dlb_layer/class_names.c") {
    static char *const names[] = {"cat", "dog", "c07_bird", "\xc3\xa9t\xc3\xa9"};
    char *path = file_of(data, size);
    train_list list = train_list_read(path, names, sizeof names / sizeof *names);
    train_list_free(&list);
    free(path);
}
