#include "dlb_options.h"

#include "fail.h"
#include "number_text.h"

#include <float.h>
#include <limits.h>
#include <string.h>

/* One key: to add one, add a row here, a field in dlb_options and a line in assign(). */
typedef struct {
    const char *key;
    number_range range;
    const char *said; /* the range in words */
} option;

static const option OPTIONS[] = {
    {"alpha", {0, FLT_MAX}, "a number >= 0"},
    {"temperature", {FLT_MIN, FLT_MAX}, "a number > 0"},
    {"logits", {INT_MIN, INT_MAX, true}, "a layer's index, absolute or relative as in [route]"},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

static int find_option(const char *key) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!strcmp(key, OPTIONS[i].key))
            return i;
    return -1;
}

static void assign(dlb_options *options, const char *key, double value) {
    if (!strcmp(key, "alpha")) {
        options->alpha = (float)value;
    } else if (!strcmp(key, "temperature")) {
        options->temperature = (float)value;
    } else {
        options->logits = (int)value;
        options->has_logits = true;
    }
}

dlb_options dlb_options_parse(const char *cfg_file, const char *const *keys,
                              const char *const *values, int count) {
    dlb_options options = {.alpha = 1, .temperature = 3};
    bool given[OPTION_COUNT] = {false};
    for (int i = 0; i < count; i++) {
        int found = find_option(keys[i]);
        if (found < 0)
            fail("%s: [dlb_cost] has no key \"%s\"; it knows alpha, temperature and logits",
                 cfg_file, keys[i]);
        if (given[found])
            fail("%s: [dlb_cost] gives %s twice", cfg_file, keys[i]);
        given[found] = true;
        double value;
        if (!values[i] || !read_number_text(values[i], OPTIONS[found].range, &value))
            fail("%s: [dlb_cost] %s=%s is not %s", cfg_file, keys[i], values[i] ? values[i] : "",
                 OPTIONS[found].said);
        assign(&options, keys[i], value);
    }
    return options;
}
