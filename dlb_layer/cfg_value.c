#include "cfg_value.h"

#include "fail.h"
#include "option_list.h"

#include <float.h>
#include <limits.h>
#include <stdlib.h>
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

/* The whole text as one decimal number; NaN, inf and hexadecimal are none. */
static bool parse_decimal(const char *text, const char *allowed, double *value) {
    char *end;
    if (strspn(text, allowed) != strlen(text))
        return false;
    *value = strtod(text, &end);
    return end != text && !*end;
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
    if (!parse_decimal(text, "+-0123456789", &value) || value < low || value > high)
        fail_range(cfg_file, section, key, text, low, high);
    return (int)value;
}

float cfg_positive_value(const char *cfg_file, const char *section, list *options, const char *key,
                         float otherwise) {
    const char *text = cfg_text_value(cfg_file, section, options, key);
    double value;
    if (!text)
        return otherwise;
    if (!parse_decimal(text, "+-0123456789.eE", &value) || value < FLT_MIN || value > FLT_MAX)
        fail("%s: %s %s=%s is not a number > 0", cfg_file, section, key, text);
    return (float)value;
}
