#include "display_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static void replace_control_characters(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

char *printable(const char *text) {
    iconv_t utf8 = iconv_open("UTF-8", "UTF-8");
    if (utf8 == (iconv_t)-1)
        fail("cannot check UTF-8: %s", strerror(errno));
    char *copy = format_string("%s", text), *in = copy;
    size_t left = strlen(copy), room = left;
    char *out = allocate(left + 1, 1), *end = out;
    while (iconv(utf8, &in, &left, &end, &room) == (size_t)-1) {
        *end++ = '?';
        in++, left--, room--;
    }
    iconv_close(utf8);
    free(copy);
    replace_control_characters(out);
    return out;
}

void write_markdown(FILE *stream, const char *text) {
    char *shown = printable(text);
    size_t length = strlen(shown);
    for (size_t i = 0; i < length; i++) {
        int edge = i == 0 || i + 1 == length; /* an underscore inside a word means nothing */
        if (strchr("\\`*[]<>|&~$", shown[i]) || (shown[i] == '_' && edge))
            fputc('\\', stream);
        fputc(shown[i], stream);
    }
    free(shown);
}

static size_t longest_row_of_backticks(const char *text) {
    size_t longest = 0, run = 0;
    for (; *text; text++) {
        run = *text == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* One backtick more than the text has in a row, and at least three. */
static void write_fence(FILE *stream, const char *const *lines, size_t count) {
    size_t length = 3;
    for (size_t i = 0; i < count; i++)
        if (lines[i] && longest_row_of_backticks(lines[i]) >= length)
            length = longest_row_of_backticks(lines[i]) + 1;
    for (size_t i = 0; i < length; i++)
        fputc('`', stream);
}

void write_code_block(FILE *stream, const char *const *lines, size_t count) {
    write_fence(stream, lines, count);
    fputs("sh\n", stream);
    for (size_t i = 0; i < count; i++) {
        if (!lines[i])
            continue;
        char *shown = printable(lines[i]);
        fprintf(stream, "%s\n", shown);
        free(shown);
    }
    write_fence(stream, lines, count);
    fputs("\n", stream);
}
