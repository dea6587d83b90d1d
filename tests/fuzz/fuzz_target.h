/* A fuzz target: one reader of ours, or of the host's that we rely on, fed with any bytes.
 *
 * A target is one file of targets/ that begins with FUZZ_TARGET, and a folder seeds/NAME. It calls
 * the reader and releases what that returns. The reader may end through fail() or the host's
 * exit(): the run ends there, and run_resources.c releases what it held. A reader that returns
 * must leave nothing behind, or the run aborts, unless the target says that the host leaks. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_target {
    const char *name;
    const char *sources; /* the files whose coverage counts, with blanks between them */
    void (*run)(const uint8_t *data, size_t size);
    bool host_leaks; /* what is left at the end is released without a word */
    struct fuzz_target *next;
} fuzz_target;

/* Before main(). Targets are kept sorted by name. */
void add_fuzz_target(fuzz_target *target);

#define FUZZ_TARGET_THAT(leaks, target_name, source_files)                                         \
    static void run_##target_name(const uint8_t *data, size_t size);                               \
    static fuzz_target target_##target_name = {                                                    \
        .name = #target_name,                                                                      \
        .sources = (source_files),                                                                 \
        .run = run_##target_name,                                                                  \
        .host_leaks = (leaks),                                                                     \
    };                                                                                             \
    __attribute__((constructor)) static void add_##target_name(void) {                             \
        add_fuzz_target(&target_##target_name);                                                    \
    }                                                                                              \
    static void run_##target_name(const uint8_t *data, size_t size)
#define FUZZ_TARGET(target_name, source_files) FUZZ_TARGET_THAT(false, target_name, source_files)

/* All of them. */
fuzz_target *first_fuzz_target(void);
/* NULL where there is none of that name. */
fuzz_target *find_fuzz_target(const char *name);

/* One run with one input. */
void run_fuzz_target(fuzz_target *target, const uint8_t *data, size_t size);

#endif
