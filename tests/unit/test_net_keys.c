/* net_keys: defaults, the edges of each range, every sentence that refuses a section. */
#include "net_keys.h"

#include "expect_fail.h"

enum { MOST_PAIRS = 3 };

typedef struct {
    const char *keys[MOST_PAIRS];
    const char *values[MOST_PAIRS];
    int count;
} section;

static net_keys parse(section s) {
    return net_keys_parse("my.cfg", s.keys, s.values, s.count);
}

static void parse_section(void *s) {
    parse(*(section *)s);
}

static section one_key(const char *key, const char *value) {
    return (section){.keys = {key}, .values = {value}, .count = 1};
}

static section two_keys(const char *key, const char *value, const char *other,
                        const char *other_value) {
    return (section){.keys = {key, other}, .values = {value, other_value}, .count = 2};
}

static void refuse(section s, const char *sentence) {
    char line[512];
    snprintf(line, sizeof line, "darknet: my.cfg: [net] %s\n", sentence);
    expect_fail(parse_section, &s, line);
}

static void refuse_values(const char *key, const char *range, const char *const *values) {
    for (; *values; values++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "%s=%s is not %s", key, *values, range);
        refuse(one_key(key, *values), sentence);
    }
}

static void without_keys_nothing_but_flips(void **state) {
    (void)state;
    net_keys keys = parse((section){{"batch", "momentum"}, {"128", ".9"}, 2});
    assert_true(keys.flips);
    assert_true(keys.cutmix_prob == 1);
    assert_false(keys.nesterov || keys.cuda_graph || keys.fused_bn || keys.pads ||
                 keys.normalises || keys.cutout);
    assert_false(keys.augment_on_gpu);
    assert_true(keys.label_smoothing == 0 && keys.mixup == 0 && keys.cutmix == 0);
    assert_false(has_soft_labels(&keys) || mixes_rows(&keys));
}

static void the_hosts_keys_are_not_ours(void **state) {
    (void)state;
    assert_true(is_net_key("mixup"));
    assert_false(is_net_key("hue") || is_net_key("min_crop") || is_net_key("mix"));
}

static void switches_are_0_or_1(void **state) {
    (void)state;
    assert_true(parse(one_key("nesterov", "1")).nesterov);
    assert_false(parse(one_key("nesterov", "0")).nesterov);
    assert_true(parse(one_key("cuda_graph", "1")).cuda_graph);
    assert_false(parse(one_key("cuda_graph", "0")).cuda_graph);
    assert_true(parse(one_key("fused_batchnorm", "1")).fused_bn);
    assert_false(parse(one_key("fused_batchnorm", "0")).fused_bn);
    assert_true(parse(one_key("augment_on_gpu", "1")).augment_on_gpu);
    assert_false(parse(one_key("augment_on_gpu", "0")).augment_on_gpu);
    assert_true(parse(one_key("flip", "1")).flips);
    assert_false(parse(one_key("flip", "0")).flips);
    refuse_values("nesterov", "0 or 1", (const char *[]){"2", "-1", "yes", "0.5", "", NULL});
    refuse_values("cuda_graph", "0 or 1", (const char *[]){"2", "-1", "on", NULL});
    refuse_values("fused_batchnorm", "0 or 1", (const char *[]){"2", "-1", "on", NULL});
    refuse_values("augment_on_gpu", "0 or 1", (const char *[]){"2", "-1", "on", NULL});
    refuse_values("flip", "0 or 1", (const char *[]){"2", "-1", "on", NULL});
}

static void sizes_are_whole_pixels(void **state) {
    (void)state;
    net_keys keys = parse(one_key("pad_crop", "0"));
    assert_true(keys.pads && keys.pad_crop == 0);
    assert_int_equal(parse(one_key("pad_crop", "65536")).pad_crop, 65536);
    assert_int_equal(parse(one_key("cutout", "16")).cutout, 16);
    assert_int_equal(parse(one_key("cutout", "0")).cutout, 0);
    static const char *const bad[] = {"-1", "4.5", "1e2", "65537", "four", "4,4", NULL};
    refuse_values("pad_crop", "a whole number from 0 to 65536", bad);
    refuse_values("cutout", "a whole number from 0 to 65536", bad);
}

static void parts_and_shapes_are_in_range(void **state) {
    (void)state;
    assert_true(parse(one_key("label_smoothing", ".1")).label_smoothing == .1f);
    assert_true(parse(one_key("label_smoothing", "1")).label_smoothing == 1);
    assert_true(parse(one_key("mixup", ".2")).mixup == .2f);
    assert_true(parse(one_key("cutmix", "1000")).cutmix == 1000);
    assert_true(parse(two_keys("cutmix", "1", "cutmix_prob", ".5")).cutmix_prob == .5f);
    refuse_values("label_smoothing", "a number from 0 to 1",
                  (const char *[]){"-.1", "1.1", "nan", "1x", "", NULL});
    refuse_values("mixup", "a number from 0 to 1000",
                  (const char *[]){"-1", "1000.1", "inf", NULL});
    refuse_values("cutmix", "a number from 0 to 1000", (const char *[]){"-1", "1e9", "inf", NULL});
    refuse(two_keys("cutmix", "1", "cutmix_prob", "1.5"),
           "cutmix_prob=1.5 is not a number from 0 to 1");
}

static void mean_and_std_are_three_numbers_each(void **state) {
    (void)state;
    net_keys keys = parse(two_keys("mean", ".5,.25,1", "std", "1,.5,.125"));
    assert_true(keys.normalises);
    static const channel_statistics expected = {{.5f, .25f, 1}, {1, .5f, .125f}};
    assert_memory_equal(&keys.statistics, &expected, sizeof expected);
    refuse_values("mean", "three numbers from 0 to 1, with commas",
                  (const char *[]){".5", ".5,.5", ".5,.5,.5,.5", ".5,.5,", ",.5,.5", "125,123,114",
                                   ".5;.5;.5", "-.1,0,0", NULL});
    refuse_values("std", "three numbers from 1e-6 to 1, with commas",
                  (const char *[]){"0,.5,.5", ".5,.5", "1.5,1,1", "", NULL});
}

static void soft_labels_come_from_three_keys(void **state) {
    (void)state;
    static const char *const names[] = {"label_smoothing", "mixup", "cutmix"};
    for (int i = 0; i < 3; i++) {
        net_keys on = parse(one_key(names[i], ".5")), off = parse(one_key(names[i], "0"));
        assert_true(has_soft_labels(&on));
        assert_false(has_soft_labels(&off));
        assert_int_equal(mixes_rows(&on), i > 0);
        assert_false(mixes_rows(&off));
    }
}

static void contradictions_are_refused(void **state) {
    (void)state;
    refuse(two_keys("mixup", ".2", "cutmix", "1"), "mixup=.2 and cutmix=1 exclude each other");
    refuse(one_key("mean", ".5,.5,.5"), "mean=.5,.5,.5 needs std= too");
    refuse(one_key("std", ".5,.5,.5"), "std=.5,.5,.5 needs mean= too");
    refuse(one_key("cutmix_prob", ".5"), "cutmix_prob=.5 needs cutmix= too");
    static const char *const crop_keys[] = {"min_crop",  "max_crop", "min_ratio",
                                            "max_ratio", "angle",    "aspect"};
    for (int i = 0; i < 6; i++) {
        char sentence[128];
        snprintf(sentence, sizeof sentence, "pad_crop=4 and %s=1 exclude each other", crop_keys[i]);
        refuse(two_keys("pad_crop", "4", crop_keys[i], "1"), sentence);
    }
}

/* One of the two is switched off. */
static void what_is_off_contradicts_nothing(void **state) {
    (void)state;
    assert_true(parse(two_keys("mixup", "0", "cutmix", "1")).cutmix == 1);
    assert_true(parse(two_keys("pad_crop", "4", "hue", ".1")).pads);
}

static void shards_are_powers_of_2(void **state) {
    (void)state;
    static const char *const bad[] = {"0", "3", "6", "8192", "-2", "2.5", "", NULL};
    assert_int_equal(parse(one_key("shards", "1")).shards, 1);
    assert_int_equal(parse(one_key("shards", "8")).shards, 8);
    assert_int_equal(parse(one_key("shards", "4096")).shards, 4096);
    refuse_values("shards", "a power of 2 from 1 to 4096", bad);
    refuse(two_keys("shards", "2", "sync_bn", "1"), "sync_bn=1 and shards=2 exclude each other");
    assert_true(parse(two_keys("shards", "1", "sync_bn", "1")).sync_bn);
}

static void a_key_given_twice_is_refused(void **state) {
    (void)state;
    refuse(two_keys("cutout", "8", "cutout", "8"), "gives cutout twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_keys_nothing_but_flips),
        cmocka_unit_test(the_hosts_keys_are_not_ours),
        cmocka_unit_test(switches_are_0_or_1),
        cmocka_unit_test(sizes_are_whole_pixels),
        cmocka_unit_test(parts_and_shapes_are_in_range),
        cmocka_unit_test(mean_and_std_are_three_numbers_each),
        cmocka_unit_test(soft_labels_come_from_three_keys),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(what_is_off_contradicts_nothing),
        cmocka_unit_test(shards_are_powers_of_2),
        cmocka_unit_test(a_key_given_twice_is_refused),
    };
    return cmocka_run_group_tests_name("net_keys", tests, NULL, NULL);
}
