/* train_log: the file's header and lines, going on with one, refusals; what a terminal shows. */
#define _GNU_SOURCE
#include "train_log.h"

#include <fcntl.h>
#include <poll.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "expect_fail.h"

#define COLUMNS                                                                                    \
    "iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce"
#define HEADER COLUMNS "\n"

static char folder[] = "/tmp/test_train_log.XXXXXX";
static char file[sizeof folder + 8];

static const iteration_record with_teacher = {.iteration = 2,
                                              .images = 256,
                                              .epoch = .5,
                                              .rate = .1,
                                              .loss = 9,
                                              .cross_entropy = 2.25,
                                              .consistency = .125,
                                              .has_consistency = true,
                                              .total = 2.375,
                                              .load_seconds = .001,
                                              .step_seconds = 1.5};

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/log", folder);
    return chmod(folder, 0755);
}

static int remove_log(void **state) {
    (void)state;
    unlink(file);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static void put_file(const char *text) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void check_file(const char *expected) {
    int in = open(file, O_RDONLY);
    assert_true(in >= 0);
    char *text = expect_fail_read_all(in);
    close(in);
    assert_string_equal(text, expected);
    free(text);
}

/* Opens the log, writes `record` where there is one and closes it. */
static void run_log(bool append, const iteration_record *record) {
    train_log *log = train_log_open(file, append, 0, 128);
    if (record)
        train_log_write(log, record);
    train_log_close(log);
}

static void append_to(void *path) {
    train_log_close(train_log_open(path, true, 0, 128));
}

static void start_anew(void *path) {
    train_log_close(train_log_open(path, false, 0, 128));
}

/* ---- the file ---- */

static void nothing_is_written_before_the_first_line(void **state) {
    (void)state;
    run_log(false, NULL);
    check_file("");
    put_file(HEADER "1,128,0.25,0.1,2,,2,0,1,,,\n");
    run_log(false, NULL);
    run_log(true, NULL);
    check_file(HEADER "1,128,0.25,0.1,2,,2,0,1,,,\n");
}

static void a_line_has_the_headers_columns(void **state) {
    (void)state;
    run_log(false, &with_teacher);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
}

static void lb_is_empty_where_no_row_had_a_teacher(void **state) {
    (void)state;
    iteration_record record = with_teacher;
    record.has_consistency = false;
    record.total = record.cross_entropy;
    run_log(false, &record);
    check_file(HEADER "2,256,0.500000,0.1,2.25,,2.25,0.001000,1.500000,,,\n");
}

static iteration_record with_validation(double top1) {
    iteration_record record = with_teacher;
    record.has_validation = true;
    record.valid_top1 = top1;
    record.valid_topk = .75;
    record.valid_cross_entropy = 1.5;
    return record;
}

static void validation_fills_the_last_columns(void **state) {
    (void)state;
    iteration_record record = with_validation(.5);
    run_log(false, &record);
    record.valid_cross_entropy = NAN;
    run_log(true, &record);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,0.5,0.75,1.5\n"
                      "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,0.5,0.75,\n");
}

static double best_top1(bool append) {
    train_log *log = train_log_open(file, append, 0, 128);
    double best = train_log_best_top1(log);
    train_log_close(log);
    return best;
}

static void the_best_result_of_the_lines_before_is_known(void **state) {
    (void)state;
    static const double results[] = {.5, .625, .25};
    assert_true(best_top1(true) == -1);
    run_log(false, &with_teacher);
    assert_true(best_top1(true) == -1);
    for (int i = 0; i < 3; i++) {
        iteration_record record = with_validation(results[i]);
        run_log(true, &record);
        run_log(true, &with_teacher);
    }
    assert_true(best_top1(true) == .625);
    assert_true(best_top1(false) == -1);
}

static void large_counts_are_written_in_full(void **state) {
    (void)state;
    iteration_record record = with_teacher;
    record.iteration = UINT64_MAX;
    record.images = UINT64_MAX - 1;
    run_log(false, &record);
    check_file(HEADER "18446744073709551615,18446744073709551614,"
                      "0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
}

/* Nine digits tell any two floats apart. */
static void losses_keep_a_floats_precision(void **state) {
    (void)state;
    iteration_record record = with_teacher;
    record.cross_entropy = nextafterf(1, 2);
    record.rate = 1.f / 3;
    record.consistency = 1e-30;
    record.total = INFINITY;
    run_log(false, &record);
    check_file(HEADER "2,256,0.500000,0.333333343,1.00000012,1e-30,inf,0.001000,1.500000,,,\n");
}

static void a_line_is_in_the_file_as_soon_as_it_is_written(void **state) {
    (void)state;
    train_log *log = train_log_open(file, false, 0, 128);
    train_log_write(log, &with_teacher);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
    train_log_close(log);
}

static void append_goes_on_after_the_last_line(void **state) {
    (void)state;
    put_file(HEADER "1,128,0.25,0.1,2,,2,0,1,,,\n");
    run_log(true, &with_teacher);
    check_file(HEADER "1,128,0.25,0.1,2,,2,0,1,,,\n"
                      "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
}

static void append_starts_a_missing_or_empty_file(void **state) {
    (void)state;
    run_log(true, &with_teacher);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
    put_file("");
    run_log(true, &with_teacher);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
}

static void without_append_an_old_log_starts_anew(void **state) {
    (void)state;
    put_file(HEADER "1,128,0.25,0.1,2,,2,0,1,,,\n");
    run_log(false, &with_teacher);
    check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
}

/* ---- refusals ---- */

static void a_header_that_a_kill_cut_starts_anew(void **state) {
    (void)state;
    static const char *const cut[] = {"i", "iteration,images", COLUMNS};
    for (size_t i = 0; i < 2 * sizeof cut / sizeof *cut; i++) {
        put_file(cut[i / 2]);
        run_log(i % 2, &with_teacher);
        check_file(HEADER "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n");
    }
}

static void a_foreign_file_is_refused_and_left_alone(void **state) {
    (void)state;
    static const char *const foreign[] = {"my notes\n", "\n", "x" HEADER, COLUMNS ",x\n"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        put_file(foreign[i]);
        expect_fail(append_to, file,
                    "/log is not a log of this program's: its first line is not " HEADER);
        expect_fail(start_anew, file, "/log is not a log of this program's");
        check_file(foreign[i]);
    }
}

static void a_folder_that_is_missing_is_refused(void **state) {
    (void)state;
    expect_fail(start_anew, "/tmp/test_train_log.none/log",
                "cannot write /tmp/test_train_log.none/log: No such file or directory");
}

static void a_folder_in_the_files_place_is_refused(void **state) {
    (void)state;
    expect_fail(start_anew, folder, ": Is a directory");
    expect_fail(append_to, folder, ": Is a directory");
}

/* Root may write everywhere, so the child gives that up. */
static void start_anew_as_nobody(void *path) {
    if (geteuid() == 0 && seteuid(65534))
        return;
    start_anew(path);
}

static void an_unwritable_folder_is_refused(void **state) {
    (void)state;
    assert_int_equal(chmod(folder, 0555), 0);
    expect_fail(start_anew_as_nobody, file, "/log: Permission denied");
    assert_int_equal(chmod(folder, 0755), 0);
}

/* Stands in for a disk that fills up later: a file may not grow beyond `bytes`. */
static void limit_files(rlim_t bytes) {
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

static const char with_teacher_line[] =
    "2,256,0.500000,0.1,2.25,0.125,2.375,0.001000,1.500000,,,\n";

static void lines_wait_while_a_disk_is_full(void **state) {
    (void)state;
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    train_log *log = train_log_open(file, false, 0, 128);
    limit_files(sizeof HEADER + 9);
    for (int i = 0; i < 2; i++) {
        char *error = train_log_write(log, &with_teacher);
        assert_non_null(error);
        assert_non_null(strstr(error, "/log: File too large"));
        free(error);
        check_file(HEADER "2,256,0.50");
    }
    setrlimit(RLIMIT_FSIZE, &before);
    uint64_t bytes = 0;
    assert_null(train_log_to_disk(log, &bytes));
    assert_int_equal(bytes, sizeof HEADER - 1 + 2 * (sizeof with_teacher_line - 1));
    assert_null(train_log_close(log));
    char *expected = malloc(bytes + 1);
    snprintf(expected, bytes + 1, "%s%s%s", HEADER, with_teacher_line, with_teacher_line);
    check_file(expected);
    free(expected);
}

/* ---- going on from a checkpoint ---- */

static void cutting_leaves_the_lines_before(void **state) {
    (void)state;
    put_file(HEADER "1,128\n2,256\n3,3");
    assert_true(train_log_cut(file, sizeof HEADER - 1 + 6));
    check_file(HEADER "1,128\n");
}

static void a_log_that_is_shorter_stays_as_it_is(void **state) {
    (void)state;
    put_file(HEADER "1,128\n");
    assert_false(train_log_cut(file, sizeof HEADER + 6));
    check_file(HEADER "1,128\n");
    assert_false(train_log_cut("/tmp/test_train_log.none/log", 1));
}

/* ---- the progress line ---- */

/* The first two of 4 iterations, of a second each, with a standard error that is `fd`. */
static void run_with_standard_error(int fd) {
    int saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    train_log *log = train_log_open(file, false, 4, 128);
    iteration_record record = with_teacher;
    record.load_seconds = 0;
    record.step_seconds = 1;
    record.iteration = 1;
    train_log_write(log, &record);
    record.iteration = 2;
    train_log_write(log, &record);
    train_log_close(log);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void a_pipe_gets_no_progress_line(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    run_with_standard_error(ends[1]);
    close(ends[1]);
    char *shown = expect_fail_read_all(ends[0]);
    close(ends[0]);
    assert_string_equal(shown, "");
    free(shown);
}

static const char PROGRESS[] = "\r\033[K1 of 4 iterations, 128 images/s, 0:00:03 left"
                               "\r\033[K2 of 4 iterations, 128 images/s, 0:00:02 left"
                               "\r\033[K";

/* A terminal hands over what is written to it in parts, each of them after a while. */
static void read_terminal(int terminal, char *to, size_t size) {
    enum { MILLISECONDS = 10000 };
    struct pollfd ready = {.fd = terminal, .events = POLLIN};
    size_t length = 0;
    while (length < size && poll(&ready, 1, MILLISECONDS) == 1) {
        ssize_t got = read(terminal, to + length, size - length);
        assert_true(got > 0);
        length += (size_t)got;
    }
}

static void a_terminal_shows_speed_and_time_left(void **state) {
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        skip();
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(other >= 0);
    run_with_standard_error(other);
    char shown[1024] = "";
    read_terminal(terminal, shown, strlen(PROGRESS));
    close(other);
    close(terminal);
    assert_string_equal(shown, PROGRESS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_written_before_the_first_line, remove_log),
        cmocka_unit_test_teardown(a_line_has_the_headers_columns, remove_log),
        cmocka_unit_test_teardown(lb_is_empty_where_no_row_had_a_teacher, remove_log),
        cmocka_unit_test_teardown(validation_fills_the_last_columns, remove_log),
        cmocka_unit_test_teardown(the_best_result_of_the_lines_before_is_known, remove_log),
        cmocka_unit_test_teardown(large_counts_are_written_in_full, remove_log),
        cmocka_unit_test_teardown(losses_keep_a_floats_precision, remove_log),
        cmocka_unit_test_teardown(a_line_is_in_the_file_as_soon_as_it_is_written, remove_log),
        cmocka_unit_test_teardown(append_goes_on_after_the_last_line, remove_log),
        cmocka_unit_test_teardown(append_starts_a_missing_or_empty_file, remove_log),
        cmocka_unit_test_teardown(without_append_an_old_log_starts_anew, remove_log),
        cmocka_unit_test_teardown(a_header_that_a_kill_cut_starts_anew, remove_log),
        cmocka_unit_test_teardown(a_foreign_file_is_refused_and_left_alone, remove_log),
        cmocka_unit_test_teardown(a_folder_that_is_missing_is_refused, remove_log),
        cmocka_unit_test_teardown(a_folder_in_the_files_place_is_refused, remove_log),
        cmocka_unit_test_teardown(an_unwritable_folder_is_refused, remove_log),
        cmocka_unit_test_teardown(lines_wait_while_a_disk_is_full, remove_log),
        cmocka_unit_test_teardown(cutting_leaves_the_lines_before, remove_log),
        cmocka_unit_test_teardown(a_log_that_is_shorter_stays_as_it_is, remove_log),
        cmocka_unit_test_teardown(a_terminal_shows_speed_and_time_left, remove_log),
        cmocka_unit_test_teardown(a_pipe_gets_no_progress_line, remove_log),
    };
    return cmocka_run_group_tests_name("train_log", tests, make_folder, remove_folder);
}
