#include "file_tree.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

/* The input is the archive itself. */
FUZZ_TARGET(archive, "commands/file_tree.c") {
    char *path = file_of(data, size);
    file_tree *tree = open_file_tree(path);
    while (next_file(tree)) {
        size_t length;
        free(read_tree_file(tree, &length));
    }
    close_file_tree(tree);
    free(path);
}
