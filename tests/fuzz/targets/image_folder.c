#include "image_folder.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

FUZZ_TARGET(
    image_folder,
    "commands/image_folder.c commands/data_set.c commands/file_tree.c commands/image_files.c") {
    char *src = source_of(data, size);
    data_set set = read_image_folder(src);
    free_data_set(&set);
    free(src);
}
