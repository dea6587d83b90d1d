#include "cfg_value.h"

#include "fail.h"
#include "number_text.h"
#include "option_list.h"

#include <float.h>
#include <limits.h>
#include <string.h>

bool cfg_has(list *options, const char *key) {
    bool has = false;
    for (node *n = options->front; n; n = n->next) {
        kvp *pair = n->val;
        if (strcmp(pair->key, key))
            continue;
        pair->used = 1;
        has = true;
    }
    return has;
}

const char *cfg_text_value(const char *cfg_file, const char *section, list *options,
                           const char *key) {
    const char *text = NULL;
    for (node *n = options->front; n; n = n->next) {
        kvp *pair = n->val;
        if (strcmp(pair->key, key))
            continue;
        if (text)
            fail("%s: %s gives %s twice", cfg_file, section, key);
        pair->used = 1;
        text = pair->val ? pair->val : "";
    }
    return text;
}

static void fail_range(const char *cfg_file, const char *section, const char *key, const char *text,
                       int low, int high) {
    if (high == INT_MAX)
        fail("%s: %s %s=%s is not a whole number of at least %d", cfg_file, section, key, text,
             low);
    fail("%s: %s %s=%s is not a whole number from %d to %d", cfg_file, section, key, text, low,
         high);
}

int cfg_whole_value(const char *cfg_file, const char *section, list *options, const char *key,
                    int low, int high, int otherwise) {
    const char *text = cfg_text_value(cfg_file, section, options, key);
    double value;
    if (!text)
        return otherwise;
    number_range range = {low, high, .whole = true};
    if (!read_number_text(text, range, &value))
        fail_range(cfg_file, section, key, text, low, high);
    return (int)value;
}

float cfg_positive_value(const char *cfg_file, const char *section, list *options, const char *key,
                         float otherwise) {
    const char *text = cfg_text_value(cfg_file, section, options, key);
    double value;
    if (!text)
        return otherwise;
    number_range range = {FLT_MIN, FLT_MAX, .whole = false};
    if (!read_number_text(text, range, &value))
        fail("%s: %s %s=%s is not a number > 0", cfg_file, section, key, text);
    return (float)value;
}

static _Noreturn void fail_option(const char *name, const char *key, const char *text,
                                  const char *wanted) {
    fail("%s%s%s=%s is not %s", name ? name : "", name ? ": " : "", key, text, wanted);
}

int whole_number(const char *name, const char *key, const char *text) {
    number_range range = {INT_MIN, INT_MAX, .whole = true};
    double value;
    if (!read_number_text(text, range, &value))
        fail_option(name, key, text, "a whole number that fits an int");
    return (int)value;
}

float decimal_number(const char *name, const char *key, const char *text) {
    number_range range = {-FLT_MAX, FLT_MAX, .whole = false};
    double value;
    if (!read_number_text(text, range, &value))
        fail_option(name, key, text, "a number that fits a float");
    return (float)value;
}
