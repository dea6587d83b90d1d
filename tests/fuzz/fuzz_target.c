#include "fuzz_target.h"

#include <string.h>

#include "fail.h"
#include "run_files.h"
#include "run_resources.h"

static fuzz_target *targets;

void add_fuzz_target(fuzz_target *target) {
    fuzz_target **at = &targets;
    while (*at && strcmp((*at)->name, target->name) < 0)
        at = &(*at)->next;
    target->next = *at;
    *at = target;
}

fuzz_target *first_fuzz_target(void) {
    return targets;
}

fuzz_target *find_fuzz_target(const char *name) {
    fuzz_target *target = targets;
    while (target && strcmp(target->name, name) != 0)
        target = target->next;
    return target;
}

void run_fuzz_target(fuzz_target *target, const uint8_t *data, size_t size) {
    volatile bool returned = false;
    at_failure(NULL);
    begin_run();
    if (!setjmp(run_end)) {
        target->run(data, size);
        returned = true;
    }
    end_run(!returned || target->host_leaks);
    remove_run_files();
}
