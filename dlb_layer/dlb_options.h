/* The keys of a [dlb_cost] section. */
#ifndef DLB_OPTIONS_H
#define DLB_OPTIONS_H

#include <stdbool.h>

typedef struct {
    float alpha;       /* weight of the consistency loss, >= 0 */
    float temperature; /* softens both predictions, > 0 */
    int logits;        /* layer whose output holds the logits; negative: relative to the section */
    bool has_logits;   /* otherwise the input of the nearest [softmax] above */
} dlb_options;

/* Reads the `count` pairs keys[i] = values[i] of the section; what is not given has its default
 * (alpha 1, temperature 3). Ends the program with one sentence naming `cfg_file`, the key and the
 * value where a key is unknown or given twice, or a value is missing, not a number or out of
 * range. */
dlb_options dlb_options_parse(const char *cfg_file, const char *const *keys,
                              const char *const *values, int count);

#endif
