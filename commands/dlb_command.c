#include "dlb_command.h"

#include <stddef.h>
#include <string.h>

#include "fail.h"
#include "prepare.h"

static const struct {
    const char *name;
    void (*run)(int argc, char **argv);
} commands[] = {
    {"prepare", run_prepare},
};

static const char usage[] = "usage: darknet dlb prepare DATASET [SRC] OUT "
                            "[-subset N [-subset_seed S]] [-noise P [-noise_seed S]]";

void run_dlb_command(int argc, char **argv) {
    while (argc > 0 && !argv[argc - 1])
        argc--;
    if (argc < 3)
        fail("%s", usage);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[2], commands[i].name) == 0) {
            commands[i].run(argc, argv);
            return;
        }
    fail("unknown command \"dlb %s\"; %s", argv[2], usage);
}
