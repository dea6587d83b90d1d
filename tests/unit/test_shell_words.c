/* shell_words: what is quoted, checked against the words that a real shell makes of it. */
#include "shell_words.h"

#include "expect_fail.h"

/* The line that a shell prints for each word of `line`, each between brackets. */
static char *words_of_shell(const char *line) {
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char script[1024];
        snprintf(script, sizeof script, "printf '[%%s]' %s", line);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char *said = expect_fail_read_all(ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return said;
}

static void joins(char *const *words, const char *expected) {
    char *line = join_shell_words(words);
    assert_string_equal(line, expected);
    free(line);
}

static void plain_words_stay_as_they_are(void **state) {
    (void)state;
    joins((char *[]){"/bin/darknet", "dlb", "-out", "a_b.c=1,2:3+4@5%6", NULL},
          "/bin/darknet dlb -out a_b.c=1,2:3+4@5%6");
    joins((char *[]){NULL}, "");
}

static void other_words_are_quoted(void **state) {
    (void)state;
    joins((char *[]){"a b", "", "it's", "$x", "~", "*", NULL}, "'a b' '' 'it'\\''s' '$x' '~' '*'");
    joins((char *[]){"''", NULL}, "''\\'''\\'''");
}

static void a_shell_reads_the_same_words(void **state) {
    (void)state;
    char *line = join_shell_words((char *[]){"a  b", "", "''", "it's", "$HOME", "`id`", "\\", "\"",
                                             "#", "50%", "\t", "a;b&c|d>e", "\xc3\xa9", NULL});
    char *words = words_of_shell(line);
    assert_string_equal(words, "[a  b][][''][it's][$HOME][`id`][\\][\"][#][50%][\t][a;b&c|d>e]"
                               "[\xc3\xa9]");
    free(words);
    free(line);
}

static void join(void *words) {
    free(join_shell_words(words));
}

static void a_line_feed_is_refused_with_the_whole_word(void **state) {
    (void)state;
    /* The sentence itself has the line feed in it, so expect_fail()'s one line is not for it. */
    char *words[] = {"fine", "first\nsecond", NULL};
    int status;
    char *said = expect_fail_said(join, words, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_string_equal(said, "darknet: a name with a line feed in it is not possible here: "
                              "\"first\nsecond\"\n");
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_stay_as_they_are),
        cmocka_unit_test(other_words_are_quoted),
        cmocka_unit_test(a_shell_reads_the_same_words),
        cmocka_unit_test(a_line_feed_is_refused_with_the_whole_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
