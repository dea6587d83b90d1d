/* tiny_imagenet: a tiny one in the owners' layout, as folder and as zip, and what is refused. */
#include "tiny_imagenet.h"

#include "scratch.h"

static const char *const images[] = {"t/train/n2/images/n2_0.JPEG", "t/train/n2/images/n2_1.JPEG",
                                     "t/train/n1/images/n1_0.JPEG", "t/train/n1/images/n1_1.JPEG",
                                     "t/val/images/val_0.JPEG",     "t/val/images/val_1.JPEG",
                                     "t/val/images/val_2.JPEG",     "t/test/images/test_0.JPEG"};

static const member texts[] = {
    {"t/wnids.txt", "n2\nn1\n", 6, NULL},
    {"t/words.txt", "n0\tnothing\nn1\tgoldfish, Carassius\nn2\tox\n", 40, NULL},
    {"t/val/val_annotations.txt",
     "val_1.JPEG\tn1\t0\t0\t9\t9\nval_0.JPEG\tn2\t0\t0\t9\t9\nval_2.JPEG\tn1\t0\t0\t9\t9\n", 66,
     NULL},
    {"t/train/n1/n1_boxes.txt", "n1_0.JPEG\t0\t0\t9\t9\n", 18, NULL},
};

enum { IMAGES = sizeof images / sizeof *images, TEXTS = sizeof texts / sizeof *texts };

static int make_folder(void **state) {
    if (empty_scratch(state) != 0)
        return -1;
    for (size_t i = 0; i < IMAGES; i++)
        write_scratch_text(images[i], images[i]);
    for (size_t i = 0; i < TEXTS; i++)
        write_scratch(texts[i].name, texts[i].bytes, texts[i].size);
    return 0;
}

static void make_zip(size_t damaged_size) {
    member members[IMAGES + TEXTS];
    for (size_t i = 0; i < IMAGES; i++)
        members[i] = (member){images[i], images[i], strlen(images[i]), NULL};
    members[0].size = damaged_size ? damaged_size : members[0].size;
    memcpy(members + IMAGES, texts, sizeof texts);
    write_archive("t.zip", ZIP, members, IMAGES + TEXTS);
}

static void read_action(void *name) {
    data_set set = read_tiny_imagenet(scratch(name));
    free_data_set(&set);
}

static void refuses(const char *sentence) {
    expect_fail(read_action, (void *)"t", sentence);
}

/* Sorted by name, whatever the order of the ids; `top` is what the names begin with. */
static void check_set(const data_set *set, const char *top) {
    static const char *const order[SETS][4] = {
        {"train/n1/images/n1_0.JPEG", "train/n1/images/n1_1.JPEG", "train/n2/images/n2_0.JPEG",
         "train/n2/images/n2_1.JPEG"},
        {"val/images/val_0.JPEG", "val/images/val_1.JPEG", "val/images/val_2.JPEG"}};
    static const int labels[SETS][4] = {{1, 1, 0, 0}, {0, 1, 1}};
    assert_int_equal(set->classes, 2);
    assert_string_equal(set->labels[0], "c0_ox");
    assert_string_equal(set->labels[1], "c1_goldfish");
    assert_string_equal(set->names[1], "goldfish, Carassius");
    assert_int_equal(set->sets[TRAIN].count, 4);
    assert_int_equal(set->sets[VALID].count, 3);
    for (int s = 0; s < SETS; s++)
        for (size_t i = 0; i < set->sets[s].count; i++) {
            const char *file = set->sets[s].files[i];
            assert_int_equal(strncmp(file, top, strlen(top)), 0);
            assert_string_equal(file + strlen(top), order[s][i]);
            assert_int_equal(set->sets[s].labels[i], labels[s][i]);
        }
}

static void reads_a_folder(void **state) {
    (void)state;
    data_set set = read_tiny_imagenet(scratch("t"));
    assert_null(set.archive);
    check_set(&set, scratch("t/"));
    free_data_set(&set);
    set = read_tiny_imagenet(scratch("")); /* the folder above */
    check_set(&set, scratch("t/"));
    free_data_set(&set);
}

static void reads_a_zip(void **state) {
    (void)state;
    make_zip(0);
    data_set set = read_tiny_imagenet(scratch("t.zip"));
    assert_string_equal(set.archive, scratch("t.zip"));
    check_set(&set, "t/");
    unsigned long before = set.sets[TRAIN].checksum;
    free_data_set(&set);
    make_zip(3); /* other bytes in one image */
    set = read_tiny_imagenet(scratch("t.zip"));
    assert_true(set.sets[TRAIN].checksum != before);
    free_data_set(&set);
}

static void refuses_missing_texts(void **state) {
    static const char *const sentences[] = {"t holds no wnids.txt", "t holds no words.txt",
                                            "t holds no val/val_annotations.txt"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(make_folder(state), 0);
        assert_int_equal(unlink(scratch(texts[i].name)), 0);
        refuses(sentences[i]);
    }
}

static void refuses_wrong_ids(void **state) {
    (void)state;
    write_scratch_text("t/wnids.txt", "n2\nn1\nn2\n");
    refuses("wnids.txt holds n2 twice");
    write_scratch_text("t/wnids.txt", "n2\nn0\n");
    refuses("t/train/n1/images/n1_0.JPEG: n1 is not in wnids.txt");
    write_scratch_text("t/wnids.txt", "n2\nn1\nn9\n");
    refuses("words.txt has no name for n9");
    write_scratch_text("t/wnids.txt", "n2\nn1\nn0\n");
    refuses("is incomplete: it holds 2 images of n2 for training, but 0 of n0");
    write_scratch_text("t/wnids.txt", "n2\n");
    refuses("wnids.txt holds 1 classes");
    write_scratch_text("t/wnids.txt", "n2\nn1\n");
    write_scratch_text("t/words.txt", "n2\tox\nn1\n");
    refuses("words.txt has a line without a second field: \"n1\"");
}

static void refuses_counts_that_disagree(void **state) {
    (void)state;
    assert_int_equal(unlink(scratch("t/train/n1/images/n1_1.JPEG")), 0);
    refuses("is incomplete: it holds 2 images of n2 for training, but 1 of n1");
}

static void refuses_wrong_annotations(void **state) {
    (void)state;
    const char *name = "t/val/val_annotations.txt";
    write_scratch_text(name, "val_0.JPEG\tn1\t0\nval_1.JPEG\tn1\t0\n");
    refuses("val/val_annotations.txt says nothing of val_2.JPEG");
    write_scratch_text(name, "val_0.JPEG\tn1\nval_0.JPEG\tn1\n");
    refuses("names val_0.JPEG twice");
    write_scratch_text(name, "val_3.JPEG\tn1\n");
    refuses("names val_3.JPEG, which is not in val/images/");
    write_scratch_text(name, "val_0.JPEG\tn0\n");
    refuses("gives n0 to val_0.JPEG, which is not in wnids.txt");
}

static void refuses_bad_images(void **state) {
    (void)state;
    write_scratch_text(images[4], "");
    refuses("t/val/images/val_0.JPEG is empty");
    write_scratch_text("t/train/n1/images/notes", "x");
    refuses("t/train/n1/images/notes is no image by its name");
    assert_int_equal(unlink(scratch("t/train/n1/images/notes")), 0);
    write_scratch_text("t/train/n1/images/a\tb.JPEG", "x");
    refuses("has a tab or a line break in its name");
}

static void refuses_two_data_sets(void **state) {
    (void)state;
    write_scratch_text("u/train/n1/images/n1_0.JPEG", "x");
    expect_fail(read_action, (void *)"", "holds two data sets, one in \"t/\" and one in \"u/\"");
}

static void refuses_without_images(void **state) {
    (void)empty_scratch(state);
    for (size_t i = 0; i < 3; i++)
        write_scratch(texts[i].name, texts[i].bytes, texts[i].size);
    refuses("holds no training images");
}

#define TEST(name) cmocka_unit_test_setup(name, make_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_a_folder),
        TEST(reads_a_zip),
        TEST(refuses_missing_texts),
        TEST(refuses_wrong_ids),
        TEST(refuses_counts_that_disagree),
        TEST(refuses_wrong_annotations),
        TEST(refuses_bad_images),
        TEST(refuses_two_data_sets),
        TEST(refuses_without_images),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
