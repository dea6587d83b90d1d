/* cfg_text: keys looked up as Darknet does, one thing changed and the rest as it was written. */
#include "cfg_text.h"

#include "expect_fail.h"
#include "temporary_file.h"

static cfg_text cfg_of(const char *text) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return read_cfg_text(file);
}

/* Asserts that the cfg is printed as `expected`, and releases it. */
static void ends_as(cfg_text cfg, const char *expected) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print_cfg_text(&cfg, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
    free_cfg_text(&cfg);
}

/* ---- reading ---- */

static void text_is_kept_but_for_line_ends(void **state) {
    (void)state;
    ends_as(cfg_of("# first\n\n [ net ] \n a = 1 # x\n;end"),
            "# first\n\n [ net ] \n a = 1 # x\n;end\n");
    ends_as(cfg_of("[net]\r\nbatch=4\r\n\r\n"), "[net]\nbatch=4\n\n");
}

static void numbers_of_the_first_section_are_found(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("; a comment\n[network]\r\n #batch=1\n\tbatch = 1 2 \r\nbatch=7\n"
                          "batches=9\n[connected]\nmax_batches=5\n");
    assert_int_equal(find_net_number(&cfg, "batch", 1, 3), 12);
    assert_int_equal(find_net_number(&cfg, "max_batches", 1, 0), 0);
    assert_int_equal(find_net_number(&cfg, "batc", 1, 8), 8);
    free_cfg_text(&cfg);
}

static void sections_are_found_by_their_whole_name(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("[network]\n#[softmax]\n[dlb_costs]\n[ dlb _cost2]\nx=[crop]\n[ conv ]");
    assert_true(has_section(&cfg, "net"));
    assert_true(has_section(&cfg, "conv"));
    assert_false(has_section(&cfg, "dlb_cost"));
    assert_false(has_section(&cfg, "softmax"));
    assert_false(has_section(&cfg, "crop"));
    free_cfg_text(&cfg);
}

/* ---- changing ---- */

static void a_value_that_is_there_is_replaced(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("[net]\nbatch = 4 \nbatch=5\n[dlb_cost]\nbatch=6\n");
    set_cfg_value(&cfg, "net", "batch", "2");
    set_cfg_value(&cfg, "dlb_cost", "batch", "3");
    ends_as(cfg, "[net]\nbatch=2\nbatch=5\n[dlb_cost]\nbatch=3\n");
}

static void a_value_that_is_missing_is_added_first(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("[network]\n#alpha=1\n[softmax]\nalpha=1\n[dlb_cost]");
    set_cfg_value(&cfg, "net", "alpha", "a");
    set_cfg_value(&cfg, "dlb_cost", "alpha", "b");
    ends_as(cfg, "[network]\nalpha=a\n#alpha=1\n[softmax]\nalpha=1\n[dlb_cost]\nalpha=b\n");
}

static void a_copy_is_changed_alone(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("[net]\nbatch=4\n"), copy = copy_cfg_text(&cfg);
    assert_string_equal(copy.path, file);
    set_cfg_value(&copy, "net", "batch", "2");
    append_cfg_line(&copy, "[dlb_cost]");
    ends_as(copy, "[net]\nbatch=2\n[dlb_cost]\n");
    ends_as(cfg, "[net]\nbatch=4\n");
}

static void a_section_is_cut_from_anywhere(void **state) {
    (void)state;
    cfg_text cfg = cfg_of("[net]\na=1\n\n[ b ]\nc=1\n# d\n\n[e]\nf=1\n[g]");
    cut_section(&cfg, "b");
    cut_section(&cfg, "g");
    ends_as(cfg, "[net]\na=1\n\n[e]\nf=1\n");
}

/* ---- refusals ---- */

static void read_file(void *unused) {
    (void)unused;
    cfg_text cfg = read_cfg_text(file);
    find_net_number(&cfg, "batch", 2, 1);
    free_cfg_text(&cfg);
}

static void refuses(const char *text, const char *sentence) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    expect_fail(read_file, NULL, sentence);
}

static void read_nothing(void *unused) {
    (void)unused;
    read_cfg_text("/nowhere/x.cfg");
}

static void what_is_no_cfg_is_refused(void **state) {
    (void)state;
    expect_fail(read_nothing, NULL, "cannot read /nowhere/x.cfg");
    refuses("", " does not start with [net]");
    refuses("# nothing\n", " does not start with [net]");
    refuses("batch=1\n[net]\n", " does not start with [net]");
    refuses("[softmax]\n[net]\n", " does not start with [net]");
    refuses("[nets]\n", " does not start with [net]");
}

static void bad_numbers_are_refused(void **state) {
    (void)state;
    refuses("[net]\nbatch=1\n", ": batch=1 is not a whole number of at least 2");
    refuses("[net]\nbatch=\n", ": batch= is not a whole number of at least 2");
    refuses("[net]\nbatch=4.5\n", ": batch=4.5 is not a whole number");
    refuses("[net]\nbatch=4 #four\n", ": batch=4#four is not a whole number");
    refuses("[net]\nbatch=2147483648\n", ": batch=2147483648 is not a whole number");
    refuses("[net]\nbatch=99999999999999999999\n", ": batch=99999999999999999999 is not");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_kept_but_for_line_ends),
        cmocka_unit_test(numbers_of_the_first_section_are_found),
        cmocka_unit_test(sections_are_found_by_their_whole_name),
        cmocka_unit_test(a_value_that_is_there_is_replaced),
        cmocka_unit_test(a_value_that_is_missing_is_added_first),
        cmocka_unit_test(a_copy_is_changed_alone),
        cmocka_unit_test(a_section_is_cut_from_anywhere),
        cmocka_unit_test(what_is_no_cfg_is_refused),
        cmocka_unit_test(bad_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
