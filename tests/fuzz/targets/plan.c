#include "comparison_plan.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

/* The input is the files that `compare` starts from: x.data, its lists, and x.cfg. */
FUZZ_TARGET_THAT(true, plan,
                 "commands/comparison_plan.c commands/cfg_text.c "
                 "dlb_layer/train_list.c darknet/host/src/option_list.c") {
    static char *const cfgs[] = {"x.cfg"};
    comparison_request request = {.data_file = "x.data",
                                  .cfg_files = cfgs,
                                  .cfg_count = 1,
                                  .protocol = size % 2 ? EQUAL_IMAGES : EQUAL_UPDATES_2N,
                                  .valid_every = 1,
                                  .command = "darknet dlb compare",
                                  .seeds = "3"};
    char *folder = folder_of(data, size);
    enter_folder(folder);
    comparison_plan plan = make_comparison_plan(&request);
    keep_comparison_plan("out", &plan, NULL);
    keep_comparison_plan("out", &plan, NULL);
    free_comparison_plan(&plan);
    free(folder);
}
