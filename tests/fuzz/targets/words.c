#include "display_text.h"
#include "fuzz_target.h"
#include "net_keys.h"
#include "number_text.h"
#include "parse_number.h"
#include "run_files.h"
#include "shell_words.h"

#include <stdio.h>
#include <stdlib.h>

/* What is read from a text of one line, and how such a text is shown. */
FUZZ_TARGET(words, "dlb_layer/number_text.c commands/parse_number.c commands/shell_words.c "
                   "commands/display_text.c") {
    char *text = text_of(data, size), *markdown;
    uint64_t whole;
    double real;
    size_t length;
    parse_whole(text, &whole);
    parse_real(text, &real);
    read_number_text(text, (number_range){-1, 1e9, size % 2}, &real);
    FILE *stream = open_memstream(&markdown, &length);
    write_markdown(stream, text);
    write_code_block(stream, (const char *const[]){text, NULL, "x"}, 3);
    fclose(stream);
    free(markdown);
    char *shell = join_shell_words((char *[]){text, "a b", NULL});
    free(shell);
    free(text);
}
