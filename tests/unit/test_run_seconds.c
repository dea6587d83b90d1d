/* run_seconds: the processes of a run add up, whenever each was stopped. */
#include "run_seconds.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fail.h"
#include "expect_fail.h"
#include "temporary_file.h"

enum { START = 1700000000 };

/* The file that the process of the run writes; `file` is the one under test. */
static char *output;
static const char *written[2];

static void last_written_at(double seconds) {
    struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    struct timespec times[] = {time, time};
    FILE *out = fopen(output, "w");
    assert_non_null(out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(utimensat(AT_FDCWD, output, times, 0), 0);
}

static double so_far(void) {
    written[0] = "/nowhere/at/all";
    written[1] = output;
    return seconds_so_far(file, written, 2);
}

static void a_run_without_processes_has_taken_nothing(void **state) {
    (void)state;
    last_written_at(START + 100);
    unlink(file);
    assert_true(so_far() == 0);
}

static void a_process_lived_until_it_last_wrote(void **state) {
    (void)state;
    note_start(file, 0, START);
    last_written_at(START + 2.5);
    assert_true(so_far() == 2.5);
}

static void processes_add_up(void **state) {
    (void)state;
    note_start(file, 40.25, START);
    last_written_at(START + 2.5);
    assert_true(so_far() == 42.75);
    note_start(file, so_far(), START + 100);
    last_written_at(START + 101);
    assert_true(so_far() == 43.75);
}

static void a_process_that_wrote_nothing_took_nothing(void **state) {
    (void)state;
    note_start(file, 7, START);
    last_written_at(START - 3);
    assert_true(so_far() == 7);
    unlink(output);
    assert_true(so_far() == 7);
}

static void read_seconds(void *context) {
    (void)context;
    so_far();
}

static void anything_else_is_refused(void **state) {
    (void)state;
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("earlier=x\nstart=1\n", out);
    assert_int_equal(fclose(out), 0);
    expect_fail(read_seconds, NULL, "earlier=x is not a number of at least 0");
}

static int make_files(void **state) {
    if (make_file(state))
        return -1;
    output = format_string("%s.out", file);
    return 0;
}

static int remove_files(void **state) {
    unlink(output);
    free(output);
    return remove_file(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_without_processes_has_taken_nothing),
        cmocka_unit_test(a_process_lived_until_it_last_wrote),
        cmocka_unit_test(processes_add_up),
        cmocka_unit_test(a_process_that_wrote_nothing_took_nothing),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
