#include "number_option.h"

#include "darknet.h"
#include "fail.h"

#include <errno.h>
#include <stdlib.h>

long take_number(int argc, char **argv, char *option, long low, long high, long otherwise) {
    char *text = find_char_arg(argc, argv, option, NULL), *end;
    if (!text)
        return otherwise;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < low || number > high)
        fail("%s %s: a number from %ld to %ld is needed", option, text, low, high);
    return number;
}
