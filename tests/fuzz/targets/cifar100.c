#include "cifar.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

FUZZ_TARGET(cifar100, "commands/cifar.c commands/data_set.c commands/file_tree.c") {
    char *src = source_of(data, size);
    data_set set = read_cifar100(src);
    free_data_set(&set);
    free(src);
}
