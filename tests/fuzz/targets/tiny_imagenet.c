#include "tiny_imagenet.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

FUZZ_TARGET(
    tiny_imagenet,
    "commands/tiny_imagenet.c commands/data_set.c commands/file_tree.c commands/image_files.c") {
    char *src = source_of(data, size);
    data_set set = read_tiny_imagenet(src);
    free_data_set(&set);
    free(src);
}
