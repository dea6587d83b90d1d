#include "fuzz_target.h"
#include "idx_file.h"
#include "run_files.h"

#include <stdlib.h>

FUZZ_TARGET(idx_labels, "commands/idx_file.c") {
    char *path = file_of(data, size);
    idx_file file = read_idx_labels(path, 10);
    free_idx_file(&file);
    free(path);
}
