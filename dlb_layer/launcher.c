#include "launcher.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char OWN_COUNT[] = "DLB_RANKS"; /* of become_launcher() */

static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD",
                                    "PMI_SIZE"};
static const char *const counts[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                     OWN_COUNT};

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

/* ---- becoming one ---- */

/* srun without MPI leaves no other sign. */
static const char *any_sign(void) {
    for (int i = 0; i < SIGNS; i++)
        if (getenv(signs[i]))
            return signs[i];
    for (int i = 0; i < COUNTS; i++)
        if (getenv(counts[i]))
            return counts[i];
    return NULL;
}

static int count_arguments(const char *mpirun, char *const *argv) {
    int count = 0;
    for (; argv[count]; count++)
        if (!strcmp(argv[count], ":"))
            fail(
                "%s would begin another program after an argument that is : alone; write ./: for a "
                "file of that name",
                mpirun);
    return count;
}

const char *become_launcher(const char *mpirun, int ranks, char *const *argv) {
    const char *sign = any_sign();
    if (sign)
        return sign;
    char *number = format_string("%d", ranks);
    const char *options[] = {mpirun, "-np", number, "--bind-to", "none"};
    enum { OPTIONS = sizeof options / sizeof *options };
    size_t count = (size_t)count_arguments(mpirun, argv);
    char **all = allocate(OPTIONS + count + 1, sizeof *all);
    memcpy(all, options, sizeof options);
    memcpy(all + OPTIONS, argv, count * sizeof *argv);
    fprintf(stderr, "Starting %d ranks: %s -np %d --bind-to none %s, with the same arguments\n",
            ranks, mpirun, ranks, argv[0]);
    fflush(NULL);
    if (!setenv(OWN_COUNT, number, 1))
        execvp(mpirun, all);
    fail("%s, which is to start %d ranks, cannot be run: %s", mpirun, ranks, strerror(errno));
}

void forget_launcher(void) {
    for (int i = 0; i < SIGNS; i++)
        unsetenv(signs[i]);
    for (int i = 0; i < COUNTS; i++)
        unsetenv(counts[i]);
}
