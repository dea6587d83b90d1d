/* run_log: validations, means since the one before, speed; every way a log can be wrong. */
#include "run_log.h"

#include <math.h>

#include "expect_fail.h"

static char file[] = "/tmp/test_run_log.XXXXXX";

static int make_file(void **state) {
    (void)state;
    int made = mkstemp(file);
    return made < 0 ? -1 : close(made);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(file);
}

static void put_bytes(const char *text, size_t size) {
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void put_file(const char *text) {
    put_bytes(text, strlen(text));
}

static void read_it(void *unused) {
    (void)unused;
    run_log log = read_run_log(file);
    free_run_log(&log);
}

/* Asserts that the rows, below the header, are refused with this sentence. */
static void refuses(const char *rows, const char *sentence) {
    char text[1024];
    snprintf(text, sizeof text, "%s\n%s", RUN_LOG_HEADER, rows);
    put_file(text);
    expect_fail(read_it, NULL, sentence);
    snprintf(text, sizeof text, "darknet: %s", file);
    expect_fail(read_it, NULL, text);
}

#define FIRST "1,4,0.5,0.1,2,,2,0.1,0.3,,,\n"

/* ---- what is read ---- */

static void validations_are_copied_with_the_means_since_the_one_before(void **state) {
    (void)state;
    put_file(RUN_LOG_HEADER "\n" FIRST "2,8,1.000000,0.1,1,0.2,1.2,0.1,0.3,0.50,0.9,1.25\n"
                            "3,12,1.5,0.1,0.5,0.3,0.8,0,0.25,,,\n"
                            "4,16,2,0.1,0.25,0.4,0.65,3,9,0.75,1,1e0\n");
    run_log log = read_run_log(file);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.images, 16);
    const validation *first = &log.validations[0], *second = &log.validations[1];
    assert_string_equal(first->texts[ITERATION_TEXT], "2");
    assert_string_equal(first->texts[EPOCH_TEXT], "1.000000");
    assert_string_equal(first->texts[IMAGES_TEXT], "8");
    assert_string_equal(first->texts[TOP1_TEXT], "0.50");
    assert_string_equal(first->texts[TOPK_TEXT], "0.9");
    assert_string_equal(second->texts[CE_TEXT], "1e0");
    assert_true(first->train_ce == 1.5 && first->train_lb == .2 && first->has_lb);
    assert_true(second->train_ce == .375 && fabs(second->train_lb - .35) < 1e-15);
    assert_true(second->top1 == .75 && second->topk == 1 && second->ce == 1);
    assert_true(second->images == 16);
    assert_true(fabs(log.step_seconds - .3) < 1e-15);
    assert_true(fabs(log.images_per_second - 10) < 1e-12);
    free_run_log(&log);
}

static void a_baseline_has_no_lb(void **state) {
    (void)state;
    put_file(RUN_LOG_HEADER "\n1,4,1,0.1,nan,,nan,0.1,0.3,0,0,inf\n");
    run_log log = read_run_log(file);
    assert_false(log.validations[0].has_lb);
    assert_true(isnan(log.validations[0].train_ce) && isinf(log.validations[0].ce));
    free_run_log(&log);
}

/* ---- refusals ---- */

static void read_none(void *unused) {
    (void)unused;
    read_run_log("/tmp/test_run_log.none");
}

static void a_missing_file_is_refused(void **state) {
    (void)state;
    expect_fail(read_none, NULL, "cannot read /tmp/test_run_log.none: No such file or directory");
}

static void another_header_is_refused(void **state) {
    (void)state;
    put_file("iteration,images,epoch,rate,ce,lb,total,load_s,step_s\n" FIRST);
    expect_fail(read_it, NULL, ", line 1: the header is not iteration,images,");
    put_file(RUN_LOG_HEADER);
    expect_fail(read_it, NULL, ", line 1: the header is not iteration,images,");
    put_file("");
    expect_fail(read_it, NULL, ", line 1: the header is not iteration,images,");
}

static void a_cut_row_is_refused(void **state) {
    (void)state;
    refuses(FIRST "2,8,1,0.1,1,0.2,1.2,0.1,0.3,0.5,0.9,1.2",
            ", line 3: the last row is cut, it does not end in a line feed");
    refuses(FIRST "2,8,1,0.1\n", ", line 3: 4 fields, but the header names 12");
    refuses(FIRST "\n", ", line 3: 0 fields, but the header names 12");
    refuses("1,4,0.5,0.1,2,,2,0.1,0.3,,,,\n", ", line 2: 13 fields, but the header names 12");
}

static void quotes_out_of_place_are_refused(void **state) {
    (void)state;
    refuses(FIRST "2,8,1\"\n", ", line 3: a quote is out of place");
    refuses(FIRST "2,8,\"1\n", ", line 4: a quote is never closed");
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    static const char text[] = RUN_LOG_HEADER "\n1,4\0,0.5,0.1,2,,2,0.1,0.3,,,\n";
    put_bytes(text, sizeof text - 1);
    expect_fail(read_it, NULL, ", line 2: a zero byte, but this is a text file");
}

static void what_is_no_number_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *row, *sentence;
    } bad[] = {
        {"-1,4,1,.1,2,,2,0,1,,,\n", ", line 2: iteration is \"-1\", but must be a whole number"},
        {"1, 4,1,.1,2,,2,0,1,,,\n", ", line 2: images is \" 4\", but must be a whole number"},
        {"1,4,x,.1,2,,2,0,1,0,0,0\n", ", line 2: epoch is \"x\", but must be a number"},
        {"1,4,1,,2,,2,0,1,0,0,0\n", ", line 2: rate is \"\", but must be a number"},
        {"1,4,1,.1,2a,,2,0,1,0,0,0\n", ", line 2: ce is \"2a\", but must be a number"},
        {"1,4,1,.1,2, ,2,0,1,0,0,0\n", ", line 2: lb is \" \", but must be a number"},
        {"1,4,1,.1,2,,,0,1,0,0,0\n", ", line 2: total is \"\", but must be a number"},
        {"1,4,1,.1,2,,2,-1,1,0,0,0\n",
         ", line 2: load_s is \"-1\", but must be a number of at least 0"},
        {"1,4,1,.1,2,,2,0,nan,0,0,0\n",
         ", line 2: step_s is \"nan\", but must be a number of at least 0"},
        {"1,4,1,.1,2,,2,0,1,1.1,0,0\n",
         ", line 2: valid_top1 is \"1.1\", but must be a number from 0 to 1"},
        {"1,4,1,.1,2,,2,0,1,0,nan,0\n",
         ", line 2: valid_topk is \"nan\", but must be a number from 0 to 1"},
        {"1,4,1,.1,2,,2,0,1,0,0,?\n", ", line 2: valid_ce is \"?\", but must be a number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i].row, bad[i].sentence);
}

static void rows_that_do_not_go_on_are_refused(void **state) {
    (void)state;
    refuses(FIRST "1,8,1,.1,2,,2,0,1,0,0,0\n",
            ", line 3: iteration is \"1\", but must be larger than in the row before");
    refuses(FIRST "2,4,1,.1,2,,2,0,1,0,0,0\n",
            ", line 3: images is \"4\", but must be larger than in the row before");
}

static void half_a_validation_is_refused(void **state) {
    (void)state;
    refuses(FIRST "2,8,1,.1,2,,2,0,1,0.5,,\n",
            ", line 3: of valid_top1, valid_topk and valid_ce some are empty and some are not");
}

static void a_log_without_validations_is_refused(void **state) {
    (void)state;
    refuses(FIRST, " holds no validation, but the run has finished");
    refuses("", " holds no validation, but the run has finished");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validations_are_copied_with_the_means_since_the_one_before),
        cmocka_unit_test(a_baseline_has_no_lb),
        cmocka_unit_test(a_missing_file_is_refused),
        cmocka_unit_test(another_header_is_refused),
        cmocka_unit_test(a_cut_row_is_refused),
        cmocka_unit_test(quotes_out_of_place_are_refused),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(what_is_no_number_is_refused_by_name),
        cmocka_unit_test(rows_that_do_not_go_on_are_refused),
        cmocka_unit_test(half_a_validation_is_refused),
        cmocka_unit_test(a_log_without_validations_is_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
