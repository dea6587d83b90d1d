/* file_lock: one holder at a time, for as long as a holder or, if it is to be so, its child lives.
 */
#include "file_lock.h"

#include "expect_fail.h"
#include "temporary_file.h"

static void the_second_gets_it_when_the_first_lets_go(void **state) {
    (void)state;
    int first = lock_file(file, 0, false);
    assert_true(first >= 0);
    assert_int_equal(lock_file(file, 0, false), -1);
    close(first);
    int second = lock_file(file, 0, false);
    assert_true(second >= 0);
    close(second);
}

/* Starts a program that ends when the pipe is closed; returns its end for writing. */
static int start_program(pid_t *child) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *child = fork();
    assert_true(*child >= 0);
    if (*child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("cat", "cat", (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    return ends[1];
}

static void end_program(int end, pid_t child) {
    int status;
    close(end);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_program_that_inherits_it_keeps_it(void **state) {
    (void)state;
    pid_t child;
    int lock = lock_file(file, 0, true), end = start_program(&child);
    assert_true(lock >= 0);
    close(lock);
    assert_int_equal(lock_file(file, 0.1, false), -1);
    end_program(end, child);
    lock = lock_file(file, 0, false);
    assert_true(lock >= 0);
    close(lock);
}

static void a_program_that_does_not_inherit_it_leaves_it(void **state) {
    (void)state;
    pid_t child;
    int lock = lock_file(file, 0, false), end = start_program(&child);
    assert_true(lock >= 0);
    close(lock);
    lock = lock_file(file, 10, false); /* free as soon as the program has started */
    assert_true(lock >= 0);
    close(lock);
    end_program(end, child);
}

static void lock_nothing(void *unused) {
    (void)unused;
    lock_file("/nowhere/lock", 0, false);
}

static void a_file_that_cannot_be_made_is_named(void **state) {
    (void)state;
    expect_fail(lock_nothing, NULL, "cannot write /nowhere/lock: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_gets_it_when_the_first_lets_go),
        cmocka_unit_test(a_program_that_inherits_it_keeps_it),
        cmocka_unit_test(a_program_that_does_not_inherit_it_leaves_it),
        cmocka_unit_test(a_file_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
