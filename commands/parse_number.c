#include "parse_number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool parse_whole(const char *text, uint64_t *value) {
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *value = number;
    return *end == '\0' && errno == 0;
}

bool parse_real(const char *text, double *value) {
    char *end;
    if (*text == '\0' || isspace((unsigned char)*text))
        return false;
    *value = strtod(text, &end);
    return *end == '\0';
}
