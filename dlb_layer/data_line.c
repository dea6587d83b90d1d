#include "data_line.h"

#include <string.h>

static const char BLANKS[] = " \t\r\n";

/* Moves what follows the blanks at `from` to `to`. */
static void close_gap(char *to, const char *from) {
    from += strspn(from, BLANKS);
    memmove(to, from, strlen(from) + 1);
}

/* The end of the text before `end`, without the blanks there. */
static char *end_without_blanks(const char *start, char *end) {
    while (end > start && strchr(BLANKS, end[-1]))
        end--;
    return end;
}

void tidy_data_line(char *line) {
    skip_byte_order_mark(line);
    close_gap(line, line);
    *end_without_blanks(line, line + strlen(line)) = '\0';
    char *equals = strchr(line, '=');
    if (!equals)
        return;
    close_gap(equals + 1, equals + 1);
    char *key_end = end_without_blanks(line, equals);
    memmove(key_end, equals, strlen(equals) + 1);
}

bool names_image(const char *line) {
    return line[strspn(line, BLANKS)] && line[0] != '#';
}

void skip_byte_order_mark(char *text) {
    static const char MARK[] = "\xef\xbb\xbf";
    size_t length = strlen(MARK);
    if (!strncmp(text, MARK, length))
        memmove(text, text + length, strlen(text + length) + 1);
}
