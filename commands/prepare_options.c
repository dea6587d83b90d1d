#include "prepare_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

typedef struct {
    const char *name;
    const char *value; /* NULL where it was not given */
} option;

enum { SUBSET, SUBSET_SEED, NOISE, NOISE_SEED, OPTIONS };

static uint64_t whole_number(const option *o, uint64_t least, const char *usage) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(o->value, &end, 10);
    if (!*o->value || strspn(o->value, "0123456789") != strlen(o->value) || errno || number < least)
        fail("%s \"%s\" is not a whole number of at least %llu; %s", o->name, o->value,
             (unsigned long long)least, usage);
    return number;
}

static double share(const option *o, const char *usage) {
    char *end;
    double number = strtod(o->value, &end);
    bool plain = *o->value && strspn(o->value, "0123456789.e-") == strlen(o->value) && !*end;
    if (!plain || !(number >= 0 && number < 1))
        fail("%s \"%s\" is not a share from 0 to below 1; %s", o->name, o->value, usage);
    return number;
}

/* Takes the option at words[i], and its value. */
static void take_option(option *options, int count, char **words, int i, const char *usage) {
    int o = 0;
    while (o < OPTIONS && strcmp(words[i], options[o].name) != 0)
        o++;
    if (o == OPTIONS)
        fail("unknown option \"%s\"; %s", words[i], usage);
    if (options[o].value)
        fail("%s is given twice; %s", words[i], usage);
    if (i + 1 == count)
        fail("%s needs a value; %s", words[i], usage);
    options[o].value = words[i + 1];
}

static void check_seed(const option *seed, const option *of, const char *usage) {
    if (seed->value && !of->value)
        fail("%s does nothing without %s; %s", seed->name, of->name, usage);
}

prepare_options read_prepare_options(int count, char **words, const char *usage) {
    option options[OPTIONS] = {
        {"-subset", NULL}, {"-subset_seed", NULL}, {"-noise", NULL}, {"-noise_seed", NULL}};
    const char *names[3];
    int named = 0;
    for (int i = 0; i < count; i++) {
        if (words[i][0] == '-')
            take_option(options, count, words, i++, usage);
        else if (named < 3)
            names[named++] = words[i];
        else
            fail("\"%s\" is one word too many; %s", words[i], usage);
    }
    if (named < 2)
        fail("%s", usage);
    check_seed(&options[SUBSET_SEED], &options[SUBSET], usage);
    check_seed(&options[NOISE_SEED], &options[NOISE], usage);
    prepare_options result = {.data_set = names[0],
                              .src = named == 3 ? names[1] : NULL,
                              .out = names[named - 1],
                              .subset_seed = 1,
                              .noise_seed = 1};
    if (options[SUBSET].value)
        result.subset = whole_number(&options[SUBSET], 1, usage);
    if (options[SUBSET_SEED].value)
        result.subset_seed = whole_number(&options[SUBSET_SEED], 0, usage);
    if (options[NOISE].value)
        result.noise = share(&options[NOISE], usage);
    if (options[NOISE_SEED].value)
        result.noise_seed = whole_number(&options[NOISE_SEED], 0, usage);
    return result;
}
