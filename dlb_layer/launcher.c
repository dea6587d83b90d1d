#include "launcher.h"

#include "fail.h"

#include <stdlib.h>

static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD",
                                    "PMI_SIZE"};
static const char *const counts[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};

enum { SIGNS = sizeof signs / sizeof *signs, COUNTS = sizeof counts / sizeof *counts };

bool is_launched(void) {
    for (int i = 0; i < SIGNS; i++)
        if (getenv(signs[i]))
            return true;
    return false;
}

void refuse_to_be_one_of_many(const char *why) {
    for (int i = 0; i < COUNTS; i++) {
        const char *count = getenv(counts[i]);
        if (count && strtol(count, NULL, 10) > 1)
            fail("%s=%s: a launcher has started so many processes, but this one finds no other and "
                 "would write the same files as they; %s",
                 counts[i], count, why);
    }
}

void forget_launcher(void) {
    for (int i = 0; i < SIGNS; i++)
        unsetenv(signs[i]);
    for (int i = 0; i < COUNTS; i++)
        unsetenv(counts[i]);
}
