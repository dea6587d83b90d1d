/* dlb_options: defaults, the edges of each range, every sentence that refuses a section. */
#include "dlb_options.h"

#include <float.h>
#include <limits.h>

#include "expect_fail.h"

/* A section of up to three keys, as the parser takes it. */
typedef struct {
    const char *keys[3];
    const char *values[3];
    int count;
} section;

static dlb_options parse(section s) {
    return dlb_options_parse("my.cfg", s.keys, s.values, s.count);
}

static void parse_section(void *s) {
    parse(*(section *)s);
}

static section one_key(const char *key, const char *value) {
    return (section){.keys = {key}, .values = {value}, .count = 1};
}

static void refuse(section s, const char *sentence) {
    char line[512];
    snprintf(line, sizeof line, "darknet: my.cfg: [dlb_cost] %s\n", sentence);
    expect_fail(parse_section, &s, line);
}

/* Each of the values must be refused as "KEY=VALUE is not RANGE". */
static void refuse_values(const char *key, const char *range, const char *const *values) {
    for (; *values; values++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "%s=%s is not %s", key, *values, range);
        refuse(one_key(key, *values), sentence);
    }
}

static float alpha_of(const char *value) {
    return parse(one_key("alpha", value)).alpha;
}

static float temperature_of(const char *value) {
    return parse(one_key("temperature", value)).temperature;
}

static int logits_of(const char *value) {
    dlb_options options = parse(one_key("logits", value));
    assert_true(options.has_logits);
    return options.logits;
}

static void an_empty_section_has_the_defaults(void **state) {
    (void)state;
    dlb_options options = parse((section){.count = 0});
    assert_true(options.alpha == 1);
    assert_true(options.temperature == 3);
    assert_false(options.has_logits);
}

static void keys_come_in_any_order(void **state) {
    (void)state;
    dlb_options options =
        parse((section){{"logits", "temperature", "alpha"}, {"-3", "2.5", "0.25"}, 3});
    assert_true(options.alpha == .25f);
    assert_true(options.temperature == 2.5f);
    assert_true(options.has_logits);
    assert_int_equal(options.logits, -3);
}

static void a_key_leaves_the_others_at_their_defaults(void **state) {
    (void)state;
    dlb_options options = parse(one_key("alpha", "7"));
    assert_true(options.temperature == 3);
    assert_false(options.has_logits);
    assert_true(parse(one_key("temperature", "7")).alpha == 1);
    assert_true(parse(one_key("logits", "0")).alpha == 1);
}

static void alpha_may_be_any_number_from_0(void **state) {
    (void)state;
    assert_true(alpha_of("0") == 0);
    assert_true(alpha_of("0.5") == .5f);
    assert_true(alpha_of("1e-3") == 1e-3f);
    assert_true(alpha_of("3.40282346e38") == FLT_MAX);
}

static void alpha_out_of_range_is_refused(void **state) {
    (void)state;
    refuse_values("alpha", "a number >= 0",
                  (const char *[]){"-0.001", "-1", "-1e-30", "3.5e38", "1e999", "inf", NULL});
}

static void temperature_may_be_any_number_above_0(void **state) {
    (void)state;
    assert_true(temperature_of("0.001") == .001f);
    assert_true(temperature_of("4") == 4);
    assert_true(temperature_of("1.1754944e-38") == FLT_MIN);
    assert_true(temperature_of("3.40282346e38") == FLT_MAX);
}

static void temperature_out_of_range_is_refused(void **state) {
    (void)state;
    refuse_values("temperature", "a number > 0",
                  (const char *[]){"0", "0.0", "-0", "-3", "1e-999", "3.5e38", "inf", NULL});
}

static void logits_may_be_absolute_or_relative(void **state) {
    (void)state;
    assert_int_equal(logits_of("0"), 0);
    assert_int_equal(logits_of("12"), 12);
    assert_int_equal(logits_of("+12"), 12);
    assert_int_equal(logits_of("-2"), -2);
    assert_int_equal(logits_of("2147483647"), INT_MAX);
    assert_int_equal(logits_of("-2147483648"), INT_MIN);
}

static void logits_that_are_no_whole_int_are_refused(void **state) {
    (void)state;
    refuse_values("logits", "a layer's index, absolute or relative as in [route]",
                  (const char *[]){"1.5", "1.0", "1e1", "0x1", "2147483648", "-2147483649", "--1",
                                   "1-2", "-", NULL});
}

static void what_is_not_one_decimal_number_is_refused(void **state) {
    (void)state;
    static const char *const values[] = {"",    "x", "1x",  "1 2",  " 1", "1 ", "1,5", "nan",
                                         "NAN", ".", "+-1", "0x10", "1e", "#1", NULL};
    refuse_values("alpha", "a number >= 0", values);
    refuse_values("temperature", "a number > 0", values);
    refuse_values("logits", "a layer's index, absolute or relative as in [route]", values);
}

static void a_key_without_a_value_is_refused(void **state) {
    (void)state;
    refuse(one_key("alpha", NULL), "alpha= is not a number >= 0");
}

static void an_unknown_key_is_refused(void **state) {
    (void)state;
    refuse(one_key("alfa", "1"), "has no key \"alfa\"; it knows alpha, temperature and logits");
    refuse(one_key("Alpha", "1"), "has no key \"Alpha\"; it knows alpha, temperature and logits");
    refuse(one_key("", "1"), "has no key \"\"; it knows alpha, temperature and logits");
    refuse((section){{"alpha", "temp"}, {"1", "3"}, 2},
           "has no key \"temp\"; it knows alpha, temperature and logits");
}

static void a_key_given_twice_is_refused(void **state) {
    (void)state;
    static const char *const keys[] = {"alpha", "temperature", "logits"};
    for (int i = 0; i < 3; i++) {
        char sentence[64];
        snprintf(sentence, sizeof sentence, "gives %s twice", keys[i]);
        refuse((section){{keys[i], keys[i]}, {"1", "1"}, 2}, sentence);
        refuse((section){{keys[i], keys[(i + 1) % 3], keys[i]}, {"1", "2", "3"}, 3}, sentence);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_section_has_the_defaults),
        cmocka_unit_test(keys_come_in_any_order),
        cmocka_unit_test(a_key_leaves_the_others_at_their_defaults),
        cmocka_unit_test(alpha_may_be_any_number_from_0),
        cmocka_unit_test(alpha_out_of_range_is_refused),
        cmocka_unit_test(temperature_may_be_any_number_above_0),
        cmocka_unit_test(temperature_out_of_range_is_refused),
        cmocka_unit_test(logits_may_be_absolute_or_relative),
        cmocka_unit_test(logits_that_are_no_whole_int_are_refused),
        cmocka_unit_test(what_is_not_one_decimal_number_is_refused),
        cmocka_unit_test(a_key_without_a_value_is_refused),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(a_key_given_twice_is_refused),
    };
    return cmocka_run_group_tests_name("dlb_options", tests, NULL, NULL);
}
