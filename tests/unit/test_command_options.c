/* command_options: what is taken out of the command line, what is left, every refusal. */
#include "command_options.h"

#include <limits.h>

#include "expect_fail.h"

enum { MOST_WORDS = 16 };

typedef struct {
    int argc;
    char *argv[MOST_WORDS + 1];
} command_line;

/* `darknet dlb compare` and the words of `text`, which are cut in place. */
static command_line line_of(char *text) {
    command_line line = {3, {"darknet", "dlb", "compare"}};
    for (char *word; (word = strsep(&text, " "));)
        line.argv[line.argc++] = word;
    return line;
}

static void left_is(const command_line *line, const char *expected) {
    char left[256] = "";
    for (int i = 3; i < line->argc; i++)
        snprintf(left + strlen(left), sizeof left - strlen(left), " %s", line->argv[i]);
    assert_string_equal(left, expected);
    assert_null(line->argv[line->argc]);
}

static void options_are_taken_from_anywhere(void **state) {
    (void)state;
    char text[] = "-plan d -out x a.cfg -seeds 7 b.cfg -no_control";
    command_line line = line_of(text);
    assert_string_equal(take_text(&line.argc, line.argv, "-out", "y"), "x");
    assert_int_equal(take_whole(&line.argc, line.argv, "-seeds", 1, 9, 3), 7);
    left_is(&line, " -plan d a.cfg b.cfg -no_control");
    assert_true(take_flag(&line.argc, line.argv, "-no_control"));
    assert_true(take_flag(&line.argc, line.argv, "-plan"));
    assert_false(take_flag(&line.argc, line.argv, "-plan"));
    left_is(&line, " d a.cfg b.cfg");
    refuse_options(line.argc, line.argv, "usage");
}

static void what_is_not_there_has_its_default(void **state) {
    (void)state;
    char text[] = "d a.cfg";
    command_line line = line_of(text);
    assert_string_equal(take_text(&line.argc, line.argv, "-out", "y"), "y");
    assert_null(take_text(&line.argc, line.argv, "-out", NULL));
    assert_int_equal(take_whole(&line.argc, line.argv, "-seeds", 1, 9, 0), 0);
    assert_int_equal(take_threads(&line.argc, line.argv), 0);
    left_is(&line, " d a.cfg");
}

static void the_commands_own_words_are_no_options(void **state) {
    (void)state;
    command_line line = {3, {"-plan", "-plan", "-plan"}};
    assert_false(take_flag(&line.argc, line.argv, "-plan"));
    refuse_options(line.argc, line.argv, "usage");
    assert_int_equal(line.argc, 3);
}

static void numbers_are_taken(void **state) {
    (void)state;
    char text[] = "-threads 1024 d -valid_every 2147483647";
    command_line line = line_of(text);
    assert_int_equal(take_threads(&line.argc, line.argv), 1024);
    assert_int_equal(take_whole(&line.argc, line.argv, "-valid_every", 1, INT_MAX, 1), INT_MAX);
    left_is(&line, " d");
}

static void seeds_are_read(void **state) {
    (void)state;
    assert_int_equal(take_seed("0"), 0);
    assert_int_equal(take_seed("4294967295"), UINT_MAX);
}

/* ---- refusals ---- */

static void take_all(void *text) {
    command_line line = line_of(text);
    take_text(&line.argc, line.argv, "-out", NULL);
    take_threads(&line.argc, line.argv);
    take_whole(&line.argc, line.argv, "-valid_every", 1, INT_MAX, 1);
    refuse_options(line.argc, line.argv, "usage: so and so");
}

static void refuses(const char *words, const char *sentence) {
    char *text = strdup(words);
    expect_fail(take_all, text, sentence);
    free(text);
}

static void bad_command_lines_are_refused(void **state) {
    (void)state;
    refuses("d -out", "-out needs a value");
    refuses("d -threads", "-threads needs a value");
    refuses("d -threads 0", "-threads 0: a number from 1 to 1024 is needed");
    refuses("d -threads 1025", "-threads 1025: a number from 1 to 1024 is needed");
    refuses("d -threads 2x", "-threads 2x: a number");
    refuses("d -threads -1", "-threads -1: a number");
    refuses("d -valid_every 0", "-valid_every 0: a number from 1 to 2147483647 is needed");
    refuses("d -valid_every 2147483648", "-valid_every 2147483648: a number");
    refuses("d -valid_every 99999999999999999999", "-valid_every 99999999999999999999: a number");
    refuses("d -seed 1", "unknown option \"-seed\"; usage: so and so");
    refuses("d -out x -out y", "unknown option \"-out\"");
}

static void read_seed(void *text) {
    take_seed(text);
}

static void bad_seeds_are_refused(void **state) {
    (void)state;
    expect_fail(read_seed, "", "\"\" is not a seed, a whole number up to 4294967295");
    expect_fail(read_seed, "x", "\"x\" is not a seed");
    expect_fail(read_seed, "-1", "\"-1\" is not a seed");
    expect_fail(read_seed, " 1", "\" 1\" is not a seed");
    expect_fail(read_seed, "4294967296", "\"4294967296\" is not a seed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_from_anywhere),
        cmocka_unit_test(what_is_not_there_has_its_default),
        cmocka_unit_test(the_commands_own_words_are_no_options),
        cmocka_unit_test(numbers_are_taken),
        cmocka_unit_test(seeds_are_read),
        cmocka_unit_test(bad_command_lines_are_refused),
        cmocka_unit_test(bad_seeds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
