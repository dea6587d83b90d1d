/* Numbers in a cfg's values. */
#ifndef NUMBER_TEXT_H
#define NUMBER_TEXT_H

#include <stdbool.h>

/* What a number may be. */
typedef struct {
    double minimum, maximum; /* both included */
    bool whole;
} number_range;

/* Strict: the whole text must be one decimal number inside the range; NaN never is. False, with
 * *value undefined, where it is not. */
bool read_number_text(const char *text, number_range range, double *value);

#endif
