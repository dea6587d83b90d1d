/* Numbers in text files: the whole text must be one, without blanks around it. */
#ifndef DLB_PARSE_NUMBER_H
#define DLB_PARSE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only. Returns false where the text is no such number or too large. */
bool parse_whole(const char *text, uint64_t *value);

/* Anything that strtod() knows, inf and nan included. Returns false where the text is no number. */
bool parse_real(const char *text, double *value);

#endif
