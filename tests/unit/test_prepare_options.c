/* prepare_options: what the words of the command mean, and which are refused. */
#include "prepare_options.h"

#include "expect_fail.h"

enum { MAX_WORDS = 12 };

static prepare_options parse(const char *line) {
    static char text[256];
    char *words[MAX_WORDS], *rest = text;
    int count = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&rest, " "));)
        words[count++] = word;
    return read_prepare_options(count, words, "usage: none");
}

static void parse_action(void *line) {
    parse(line);
}

static void refuses(const char *line, const char *sentence) {
    expect_fail(parse_action, (void *)line, sentence);
}

static void reads_words_and_defaults(void **state) {
    (void)state;
    prepare_options o = parse("cifar10 src out");
    assert_string_equal(o.data_set, "cifar10");
    assert_string_equal(o.src, "src");
    assert_string_equal(o.out, "out");
    assert_int_equal(o.subset, 0);
    assert_int_equal(o.subset_seed, 1);
    assert_true(o.noise == 0);
    assert_int_equal(o.noise_seed, 1);
    assert_null(parse("fashion-mnist out").src);
}

static void reads_options_anywhere(void **state) {
    (void)state;
    prepare_options o =
        parse("-noise .4 cifar10 -subset 2000 src -noise_seed 18446744073709551615 out "
              "-subset_seed 0");
    assert_string_equal(o.src, "src");
    assert_string_equal(o.out, "out");
    assert_int_equal(o.subset, 2000);
    assert_int_equal(o.subset_seed, 0);
    assert_true(o.noise == 0.4);
    assert_true(o.noise_seed == UINT64_MAX);
}

static void refuses_wrong_words(void **state) {
    (void)state;
    refuses("cifar10", "darknet: usage: none");
    refuses("cifar10 src out more", "\"more\" is one word too many; usage: none");
    refuses("cifar10 src out -noisy 1", "unknown option \"-noisy\"; usage: none");
    refuses("cifar10 src out -noise", "-noise needs a value; usage: none");
    refuses("cifar10 src out -noise .1 -noise .1", "-noise is given twice");
    refuses("cifar10 src out -noise_seed 2", "-noise_seed does nothing without -noise");
    refuses("cifar10 src out -subset_seed 2", "-subset_seed does nothing without -subset");
}

static void refuses_wrong_values(void **state) {
    (void)state;
    static const char *const counts[] = {"0", "-1", "2.5", "x", "", "99999999999999999999", "1x"};
    static const char *const shares[] = {"1", "20", "-0.1", "nan", "0.2x", "0x0", "", "-nan", "."};
    char line[64], sentence[96];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        snprintf(line, sizeof line, "folder a b -subset %s", counts[i]);
        snprintf(sentence, sizeof sentence, "-subset \"%s\" is not a whole number of at least 1",
                 counts[i]);
        refuses(line, sentence);
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        snprintf(line, sizeof line, "folder a b -noise %s", shares[i]);
        snprintf(sentence, sizeof sentence, "-noise \"%s\" is not a share from 0 to below 1",
                 shares[i]);
        refuses(line, sentence);
    }
    refuses("folder a b -noise 0.1 -noise_seed -1", "-noise_seed \"-1\" is not a whole number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_words_and_defaults),
        cmocka_unit_test(reads_options_anywhere),
        cmocka_unit_test(refuses_wrong_words),
        cmocka_unit_test(refuses_wrong_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
