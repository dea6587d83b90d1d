#include "fuzz_target.h"
#include "run_files.h"
#include "run_log.h"

#include <stdlib.h>

FUZZ_TARGET(run_log, "commands/run_log.c commands/csv_table.c commands/parse_number.c "
                     "commands/statistics.c") {
    char *path = file_of(data, size);
    run_log log = read_run_log(path);
    free_run_log(&log);
    free(path);
}
