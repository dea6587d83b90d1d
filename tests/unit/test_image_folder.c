/* image_folder: SRC/train/CLASS/FILE and SRC/val/CLASS/FILE, as folder and as archive. */
#include "image_folder.h"

#include "scratch.h"

static const char *const files[] = {"train/cat/2.jpg",   "train/cat/1.PNG", "train/Big dog/1.jpg",
                                    "val/Big dog/9.bmp", "val/cat/9.jpeg",  "train/.DS_Store",
                                    "train/cat/._2.jpg", "notes.txt"};
enum { FILES = sizeof files / sizeof *files };

static int make_folder(void **state) {
    if (empty_scratch(state) != 0)
        return -1;
    for (size_t i = 0; i < FILES; i++)
        write_scratch_text(files[i], files[i]);
    return 0;
}

static void read_action(void *name) {
    data_set set = read_image_folder(scratch(name));
    free_data_set(&set);
}

static void refuses(const char *sentence) {
    expect_fail(read_action, (void *)"", sentence);
}

static void check_set(const data_set *set, const char *top) {
    static const char *const order[] = {"train/Big dog/1.jpg", "train/cat/1.PNG",
                                        "train/cat/2.jpg"};
    static const int labels[] = {0, 1, 1};
    assert_int_equal(set->classes, 2);
    assert_string_equal(set->labels[0], "c0_big-dog");
    assert_string_equal(set->names[0], "Big dog");
    assert_int_equal(set->sets[TRAIN].count, 3);
    assert_int_equal(set->sets[VALID].count, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(set->sets[TRAIN].files[i] + strlen(top), order[i]);
        assert_int_equal(set->sets[TRAIN].labels[i], labels[i]);
    }
}

static void reads_a_folder(void **state) {
    (void)state;
    data_set set = read_image_folder(scratch(""));
    assert_null(set.archive);
    check_set(&set, scratch(""));
    free_data_set(&set);
}

static void reads_an_archive(void **state) {
    (void)state;
    member members[FILES];
    for (size_t i = 0; i < FILES; i++)
        members[i] = (member){files[i], files[i], strlen(files[i]), NULL};
    for (int kind = PLAIN_TAR; kind <= ZIP; kind++) {
        write_archive("archive", (archive_kind)kind, members, FILES);
        data_set set = read_image_folder(scratch("archive"));
        assert_string_equal(set.archive, scratch("archive"));
        check_set(&set, "");
        free_data_set(&set);
    }
    members[FILES - 1] = members[0];
    write_archive("archive", GZIP_TAR, members, FILES);
    expect_fail(read_action, (void *)"archive", "archive holds train/cat/2.jpg twice");
}

static void refuses_classes_that_disagree(void **state) {
    (void)state;
    write_scratch_text("val/horse/1.jpg", "x");
    refuses("holds the class \"horse\" in val/, but not in train/");
    write_scratch_text("train/horse/1.jpg", "x");
    write_scratch_text("train/ox/1.jpg", "x");
    refuses("holds the class \"ox\" in train/, but not in val/");
}

static void refuses_files_elsewhere(void **state) {
    (void)state;
    write_scratch_text("train/1.jpg", "x");
    refuses("/train/1.jpg does not lie in train/CLASS/");
    assert_int_equal(unlink(scratch("train/1.jpg")), 0);
    write_scratch_text("val/cat/deep/1.jpg", "x");
    refuses("/val/cat/deep/1.jpg does not lie in val/CLASS/");
}

static void refuses_other_files(void **state) {
    (void)state;
    write_scratch_text("train/cat/Thumbs.db", "x");
    refuses("/train/cat/Thumbs.db is no image by its name");
}

static void refuses_an_empty_folder(void **state) {
    (void)empty_scratch(state);
    refuses("holds no train/CLASS/ images");
}

#define TEST(name) cmocka_unit_test_setup(name, make_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_a_folder),
        TEST(reads_an_archive),
        TEST(refuses_classes_that_disagree),
        TEST(refuses_files_elsewhere),
        TEST(refuses_other_files),
        TEST(refuses_an_empty_folder),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
