/* Runs every target with its seeds and with each input that once crashed it, without libFuzzer, so
 * that `make test` needs no clang. Called in the folder tests/fuzz. Prints TAP, a line an input. A
 * crash ends it, and lines are missing then; the name of the input is on the line before. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "file_bytes.h"
#include "fuzz_target.h"

static int number;

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void replay_file(fuzz_target *target, const char *path) {
    size_t size;
    char *bytes = read_file_bytes(path, &size);
    printf("# %s: %s\n", target->name, path);
    if (!bytes) {
        printf("not ok %d - %s cannot be read\n", ++number, path);
        return;
    }
    fflush(stdout);
    run_fuzz_target(target, (const uint8_t *)bytes, size);
    printf("ok %d - %s\n", ++number, path);
    free(bytes);
}

/* Returns how many files there are. Without a target they are only counted. */
static int replay_folder(fuzz_target *target, const char *kind, const char *name) {
    char *folder = format_string("%s/%s", kind, name);
    struct dirent **entries;
    int count = scandir(folder, &entries, is_shown, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = format_string("%s/%s", folder, entries[i]->d_name);
        if (target)
            replay_file(target, path);
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    free(folder);
    return count < 0 ? 0 : count;
}

static int count_inputs(void) {
    int count = 0;
    for (const fuzz_target *t = first_fuzz_target(); t; t = t->next) {
        int seeds = replay_folder(NULL, "seeds", t->name);
        if (!seeds) {
            printf("not ok 1 - %s has no seed\n", t->name);
            exit(EXIT_FAILURE);
        }
        count += seeds + replay_folder(NULL, "regressions", t->name);
    }
    return count;
}

int main(void) {
    printf("1..%d\n", count_inputs());
    for (fuzz_target *t = first_fuzz_target(); t; t = t->next) {
        replay_folder(t, "seeds", t->name);
        replay_folder(t, "regressions", t->name);
    }
    return 0;
}
