#include "command_options.h"

#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "fail.h"
#include "parse_number.h"

static void take_out(int *argc, char **argv, int at, int count) {
    for (int i = at; i + count <= *argc; i++)
        argv[i] = i + count < *argc ? argv[i + count] : NULL;
    *argc -= count;
}

static int find(int argc, char **argv, const char *option) {
    for (int i = 3; i < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return i;
    return -1;
}

bool take_flag(int *argc, char **argv, const char *option) {
    int at = find(*argc, argv, option);
    if (at < 0)
        return false;
    take_out(argc, argv, at, 1);
    return true;
}

const char *take_text(int *argc, char **argv, const char *option, const char *otherwise) {
    int at = find(*argc, argv, option);
    if (at < 0)
        return otherwise;
    if (at + 1 == *argc)
        fail("%s needs a value", option);
    const char *value = argv[at + 1];
    take_out(argc, argv, at, 2);
    return value;
}

uint64_t take_whole(int *argc, char **argv, const char *option, uint64_t least, uint64_t most,
                    uint64_t otherwise) {
    const char *text = take_text(argc, argv, option, NULL);
    uint64_t value;
    if (!text)
        return otherwise;
    if (!parse_whole(text, &value) || value < least || value > most)
        fail("%s %s: a number from %" PRIu64 " to %" PRIu64 " is needed", option, text, least,
             most);
    return value;
}

int take_threads(int *argc, char **argv) {
    enum { MOST_THREADS = 1024 };
    return (int)take_whole(argc, argv, "-threads", 1, MOST_THREADS, 0);
}

uint64_t take_seed(const char *text) {
    uint64_t seed;
    if (!parse_whole(text, &seed) || seed > UINT_MAX)
        fail("\"%s\" is not a seed, a whole number up to %u", text, UINT_MAX);
    return seed;
}

void refuse_options(int argc, char **argv, const char *usage) {
    for (int i = 3; i < argc; i++)
        if (argv[i][0] == '-')
            fail("unknown option \"%s\"; %s", argv[i], usage);
}
