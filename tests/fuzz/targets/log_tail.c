#include "fuzz_target.h"
#include "log_tail.h"
#include "run_files.h"
#include "train_log.h"

#include <stdlib.h>

/* A training's log, as the training that goes on after it reads it and as `compare` watches it. */
FUZZ_TARGET(log_tail, "commands/log_tail.c dlb_layer/train_log.c") {
    char *path = file_of(data, size);
    free(last_line_of(path));
    last_logged_iteration(path);
    train_log *log = train_log_open(path, true, 10, 4);
    train_log_best_top1(log);
    train_log_close(log);
    free(path);
}
