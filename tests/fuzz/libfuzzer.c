/* The targets as libFuzzer wants them. FUZZ_TARGET in the environment says which one. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz_target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *name = getenv("FUZZ_TARGET");
    target = name ? find_fuzz_target(name) : NULL;
    if (target)
        return 0;
    /* for fuzz.sh */
    for (const fuzz_target *t = first_fuzz_target(); t; t = t->next)
        printf("%s %s\n", t->name, t->sources);
    exit(name != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    run_fuzz_target(target, data, size);
    return 0;
}
