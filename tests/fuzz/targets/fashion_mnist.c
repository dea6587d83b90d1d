#include "fashion_mnist.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

FUZZ_TARGET(
    fashion_mnist,
    "commands/fashion_mnist.c commands/data_set.c commands/file_tree.c commands/idx_file.c") {
    char *src = source_of(data, size);
    data_set set = read_fashion_mnist(src);
    free_data_set(&set);
    free(src);
}
