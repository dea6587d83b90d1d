/* log_tail: the last line and the last iteration, of files in every state of being written. */
#include "log_tail.h"

#include "expect_fail.h"
#include "temporary_file.h"

/* `times` times `filler`, then `text`. */
static void put_text(const char *filler, int times, const char *text) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    for (int i = 0; i < times; i++)
        fputs(filler, out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void last_line_is(const char *expected) {
    char *line = last_line_of(file);
    assert_string_equal(line, expected);
    free(line);
}

static void the_last_line_that_is_not_empty(void **state) {
    (void)state;
    put_text("", 0, "");
    last_line_is("");
    put_text("", 0, " \n\r\n\n");
    last_line_is("");
    put_text("", 0, "only");
    last_line_is("only");
    put_text("", 0, "first\nlast words\n \n\n");
    last_line_is("last words");
    put_text("", 0, "first\n\r\033[Kover\twritten\a\n");
    last_line_is("[Koverwritten");
}

static void no_file_has_no_last_line(void **state) {
    (void)state;
    char *line = last_line_of("/nowhere/at/all");
    assert_string_equal(line, "");
    free(line);
    assert_int_equal(last_logged_iteration("/nowhere/at/all"), 0);
}

static void only_the_end_of_a_long_file_is_read(void **state) {
    (void)state;
    put_text("0123456789abcde\n", 1000, "the end\n");
    last_line_is("the end");
    put_text("0123456789abcdef", 1000, "");
    char *line = last_line_of(file);
    assert_int_equal(strlen(line), 4096);
    free(line);
    put_text("x\n", 2047, "yz"); /* just as long as what is read */
    last_line_is("yz");
}

static void iteration_is(uint64_t expected) {
    assert_int_equal(last_logged_iteration(file), expected);
}

static void the_iteration_of_the_last_whole_line(void **state) {
    (void)state;
    put_text("", 0, "");
    iteration_is(0);
    put_text("", 0, "iteration,images\n");
    iteration_is(0);
    put_text("", 0, "iteration,images\n12");
    iteration_is(0);
    put_text("", 0, "iteration,images\n1,64\n2,128\n34");
    iteration_is(2);
    put_text("", 0, "iteration,images\n1,64\n345,128\n");
    iteration_is(345);
    put_text("77,64,0.5,0.1,2.3\n", 1000, "1001,64,0.5\n1002");
    iteration_is(1001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_that_is_not_empty),
        cmocka_unit_test(no_file_has_no_last_line),
        cmocka_unit_test(only_the_end_of_a_long_file_is_read),
        cmocka_unit_test(the_iteration_of_the_last_whole_line),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
