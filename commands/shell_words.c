#include "shell_words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static bool is_plain(const char *word) {
    bool plain = *word != '\0';
    for (; *word && plain; word++)
        plain = isalnum((unsigned char)*word) || strchr("_-./=,:+@%", *word);
    return plain;
}

static char *put_quoted(char *to, const char *word) {
    if (strchr(word, '\n'))
        fail("a name with a line feed in it is not possible here: \"%s\"", word);
    *to++ = '\'';
    for (; *word; word++) {
        if (*word == '\'')
            to = stpcpy(to, "'\\'");
        *to++ = *word;
    }
    *to++ = '\'';
    return to;
}

char *join_shell_words(char *const *words) {
    enum { MOST_BYTES_OF_ONE = 4, QUOTES_AND_BLANK = 3 };
    size_t room = 1;
    for (size_t i = 0; words[i]; i++)
        room += MOST_BYTES_OF_ONE * strlen(words[i]) + QUOTES_AND_BLANK;
    char *line = allocate(room, 1), *to = line;
    for (size_t i = 0; words[i]; i++) {
        if (i)
            *to++ = ' ';
        to = is_plain(words[i]) ? stpcpy(to, words[i]) : put_quoted(to, words[i]);
    }
    *to = '\0';
    return line;
}
