#include "dlb_command.h"

#include <stddef.h>
#include <string.h>

#include "compare.h"
#include "comparison_run.h"
#include "fail.h"
#include "inspect.h"
#include "prepare.h"
#include "report.h"
#include "show.h"

static const struct {
    const char *name;
    void (*run)(int argc, char **argv);
} commands[] = {
    {"prepare", run_prepare}, {"compare", run_compare}, {"run", run_run},
    {"report", run_report},   {"inspect", run_inspect}, {"show", run_show},
};

static const char usage[] = "usage: darknet dlb prepare|compare|run|report|inspect|show ...; each "
                            "shows its own usage when it is typed alone";

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
