/* Numbers in the sections of a cfg and in data files, read strictly, unlike atoi() does: the whole
 * text must be one decimal number in its range. */
#ifndef DLB_CFG_VALUE_H
#define DLB_CFG_VALUE_H

#include "darknet.h"

#include <stdbool.h>

/* Whether the section has the key, which from now on counts as used. */
bool cfg_has(list *options, const char *key);

/* The text of a key, which stays the list's; NULL where the key is not there. The key counts as
 * used. Ends the program, naming cfg_file, section ("[net]") and key, if it is there twice. */
const char *cfg_text_value(const char *cfg_file, const char *section, list *options,
                           const char *key);

/* The value of a key; `otherwise` where it is not there. Ends the program with one sentence that
 * names cfg_file, section, key and value if that is no whole number from `low` to `high`. */
int cfg_whole_value(const char *cfg_file, const char *section, list *options, const char *key,
                    int low, int high, int otherwise);

/* The value of a key, a finite number above 0; `otherwise` where it is not there. Ends the program
 * as cfg_whole_value() does. */
float cfg_positive_value(const char *cfg_file, const char *section, list *options, const char *key,
                         float otherwise);

/* Host seam, where it reads a number: the text of a key as an int. Ends the program with one
 * sentence that names `name`, the list's ("x.cfg: [net]", "x.data", or NULL), key and text if that
 * is none. */
int whole_number(const char *name, const char *key, const char *text);

/* The same as a float. */
float decimal_number(const char *name, const char *key, const char *text);

#endif
