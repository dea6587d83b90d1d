#include "number_text.h"

#include <stdlib.h>
#include <string.h>

bool read_number_text(const char *text, number_range range, double *value) {
    char *end;
    const char *allowed = range.whole ? "+-0123456789" : "+-0123456789.eE";
    if (strspn(text, allowed) != strlen(text))
        return false;
    *value = strtod(text, &end);
    if (end == text || *end)
        return false;
    return *value >= range.minimum && *value <= range.maximum;
}
