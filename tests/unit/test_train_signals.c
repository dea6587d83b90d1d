/* train_signals: what is asked for, and that a second signal ends the program at once. */
#include "train_signals.h"

#include <signal.h>

#include "expect_fail.h"

static void nothing_is_asked_for_at_first(void **state) {
    (void)state;
    assert_int_equal(train_stop_signal(), 0);
    assert_false(take_save_request());
}

static void sigusr1_asks_for_one_save(void **state) {
    (void)state;
    watch_save_requests();
    raise(SIGUSR1);
    assert_true(take_save_request());
    assert_false(take_save_request());
    raise(SIGUSR1);
    assert_true(take_save_request());
    assert_int_equal(train_stop_signal(), 0);
}

static void raise_first_and_say(void *number) {
    watch_stop_signals();
    raise(*(int *)number);
    fprintf(stderr, "asked by %d\n", train_stop_signal());
}

static void raise_both(void *numbers) {
    const int *n = numbers;
    for (int i = 0; i < 2; i++) /* a shell's background process may have been told to ignore it */
        signal(n[i], SIG_DFL);
    raise_first_and_say(numbers);
    raise(n[1]);
}

/* Each of the two asks, and the one that comes after it ends the program. */
static void the_second_one_ends_the_program(void **state) {
    (void)state;
    int numbers[][2] = {{SIGINT, SIGINT}, {SIGTERM, SIGTERM}, {SIGTERM, SIGINT}, {SIGINT, SIGTERM}};
    for (int i = 0; i < 4; i++) {
        int status;
        char expected[64];
        snprintf(expected, sizeof expected, "asked by %d\n", numbers[i][0]);
        char *said = expect_fail_said(raise_both, numbers[i], &status);
        assert_string_equal(said, expected);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i][1]);
        free(said);
    }
}

static void raise_ignored(void *number) {
    signal(*(int *)number, SIG_IGN);
    raise_first_and_say(number);
}

static void what_was_ignored_stays_so(void **state) {
    (void)state;
    int number = SIGINT, status;
    char *said = expect_fail_said(raise_ignored, &number, &status);
    assert_string_equal(said, "asked by 0\nnothing failed\n");
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_for_at_first),
        cmocka_unit_test(sigusr1_asks_for_one_save),
        cmocka_unit_test(the_second_one_ends_the_program),
        cmocka_unit_test(what_was_ignored_stays_so),
    };
    return cmocka_run_group_tests_name("train_signals", tests, NULL, NULL);
}
