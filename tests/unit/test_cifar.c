/* cifar: tiny files in the owner's formats, good ones and every way they can be wrong. */
#include "cifar.h"

#include "scratch.h"

enum { IMAGE = 3072, MOST = 12 };

static const char names10[] =
    "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

/* Record i of a file has the given labels, and byte j is (first + i + j) % 251. */
static size_t records(unsigned char *to, const unsigned char *labels, size_t label_bytes,
                      size_t count, size_t first) {
    for (size_t i = 0; i < count; i++) {
        unsigned char *record = to + i * (label_bytes + IMAGE);
        memcpy(record, labels + i * label_bytes, label_bytes);
        for (size_t j = 0; j < IMAGE; j++)
            record[label_bytes + j] = (unsigned char)((first + i + j) % 251);
    }
    return count * (label_bytes + IMAGE);
}

static void write_records(const char *name, const unsigned char *labels, size_t label_bytes,
                          size_t count, size_t first) {
    static unsigned char bytes[MOST * (IMAGE + 2)];
    write_scratch(name, bytes, records(bytes, labels, label_bytes, count, first));
}

/* Two images a file; batch b has the labels b-1 and b+4, the test batch 9 and 0. */
static int make_cifar10(void **state) {
    char name[64];
    if (empty_scratch(state) != 0)
        return -1;
    for (unsigned char b = 1; b <= 5; b++) {
        snprintf(name, sizeof name, "c/data_batch_%d.bin", b);
        write_records(name, (unsigned char[]){b - 1, b + 4}, 1, 2, b);
    }
    write_records("c/test_batch.bin", (unsigned char[]){9, 0}, 1, 2, 100);
    write_scratch_text("c/batches.meta.txt", names10);
    return 0;
}

static int make_cifar100(void **state) {
    if (empty_scratch(state) != 0)
        return -1;
    write_records("c/train.bin", (unsigned char[]){19, 99, 0, 0, 1, 50, 2, 3, 4, 5}, 2, 5, 7);
    write_records("c/test.bin", (unsigned char[]){0, 98}, 2, 1, 9);
    char names[1024] = "";
    for (int k = 0; k < 100; k++)
        snprintf(names + strlen(names), 16, "name_%d\r\n", k);
    write_scratch_text("c/fine_label_names.txt", names);
    return 0;
}

static void read10(void *name) {
    data_set set = read_cifar10(scratch(name));
    free_data_set(&set);
}

static void read100(void *name) {
    data_set set = read_cifar100(scratch(name));
    free_data_set(&set);
}

/* The planes of the file become three channels of a pixel. */
static void check_pixels(const image_set *set, size_t image, size_t first) {
    for (size_t at = 0; at < 1024; at++)
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(set->pixels[image * IMAGE + at * 3 + c],
                             (first + c * 1024 + at) % 251);
}

static void check_cifar10(const data_set *set) {
    static const int labels[] = {0, 5, 1, 6, 2, 7, 3, 8, 4, 9};
    assert_int_equal(set->classes, 10);
    assert_string_equal(set->labels[0], "c0_airplane");
    assert_string_equal(set->names[9], "truck");
    assert_int_equal(set->channels, 3);
    assert_int_equal(set->sets[TRAIN].count, 10);
    assert_int_equal(set->sets[VALID].count, 2);
    assert_memory_equal(set->sets[TRAIN].labels, labels, sizeof labels);
    assert_int_equal(set->sets[VALID].labels[0], 9);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(set->sets[TRAIN].numbers[i], i + 1);
        check_pixels(&set->sets[TRAIN], i, i / 2 + 1 + i % 2);
    }
    check_pixels(&set->sets[VALID], 1, 101);
}

static void reads_cifar10(void **state) {
    (void)state;
    data_set set = read_cifar10(scratch("c"));
    check_cifar10(&set);
    free_data_set(&set);
    set = read_cifar10(scratch("")); /* the folder above */
    check_cifar10(&set);
    free_data_set(&set);
}

static void reads_an_archive(void **state) {
    (void)state;
    static unsigned char bytes[6][2 * (IMAGE + 1)];
    static char paths[7][64];
    member members[7];
    for (unsigned char b = 0; b < 6; b++) {
        /* the test batch first: the order in an archive is its maker's */
        const char *name = b ? "top/data_batch_%d.bin" : "top/test_batch.bin";
        snprintf(paths[b], sizeof *paths, name, b);
        records(bytes[b], b ? (unsigned char[]){b - 1, b + 4} : (unsigned char[]){9, 0}, 1, 2,
                b ? b : 100);
        members[b] = (member){paths[b], bytes[b], sizeof *bytes, NULL};
    }
    members[6] = (member){"top/batches.meta.txt", names10, sizeof names10 - 1, NULL};
    write_archive("c.tar.gz", GZIP_TAR, members, 7);
    data_set set = read_cifar10(scratch("c.tar.gz"));
    check_cifar10(&set);
    data_set folder = read_cifar10(scratch("c"));
    assert_int_equal(set.sets[TRAIN].checksum, folder.sets[TRAIN].checksum);
    free_data_set(&set);
    free_data_set(&folder);
    write_archive("c.tar.gz", GZIP_TAR, members, 6);
    expect_fail(read10, (void *)"c.tar.gz", "c.tar.gz holds no batches.meta.txt");
}

static void reads_cifar100(void **state) {
    (void)state;
    static const int labels[] = {99, 0, 50, 3, 5};
    data_set set = read_cifar100(scratch("c"));
    assert_int_equal(set.classes, 100);
    assert_string_equal(set.labels[9], "c09_name-9");
    assert_string_equal(set.names[99], "name_99");
    assert_int_equal(set.sets[TRAIN].count, 5);
    assert_memory_equal(set.sets[TRAIN].labels, labels, sizeof labels);
    assert_int_equal(set.sets[VALID].labels[0], 98);
    check_pixels(&set.sets[TRAIN], 4, 11);
    free_data_set(&set);
}

static void refuses_wrong_sizes(void **state) {
    (void)state;
    damage("c/data_batch_2.bin", "c/data_batch_2.bin", 1, 0);
    expect_fail(read10, (void *)"c",
                "c/data_batch_2.bin is truncated or of another format: 6145 bytes are not a "
                "multiple of the 3073");
    write_scratch_text("c/data_batch_2.bin", "");
    expect_fail(read10, (void *)"c", "c/data_batch_2.bin is truncated or of another format: 0");
    write_records("c/data_batch_2.bin", (unsigned char[]){1}, 1, 1, 0);
    expect_fail(read10, (void *)"c", "c/data_batch_2.bin holds 1 images and ");
}

static void refuses_wrong_labels(void **state) {
    (void)state;
    write_records("c/test_batch.bin", (unsigned char[]){9, 10}, 1, 2, 0);
    expect_fail(read10, (void *)"c",
                "c/test_batch.bin: the label of image 2 of 2 is 10, but only 0 to 9 are classes");
}

static void refuses_missing_and_double_files(void **state) {
    (void)state;
    write_scratch_text("batches.meta.txt", names10);
    expect_fail(read10, (void *)"", "holds batches.meta.txt twice");
    assert_int_equal(unlink(scratch("c/data_batch_5.bin")), 0);
    expect_fail(read10, (void *)"c", "c holds no data_batch_5.bin");
    expect_fail(read100, (void *)"c", "c holds no train.bin");
}

static void refuses_wrong_names(void **state) {
    (void)state;
    write_scratch_text("c/batches.meta.txt", "a\nb\n");
    expect_fail(read10, (void *)"c", "batches.meta.txt holds 2 class names, but there are 10");
}

static void refuses_wrong_cifar100(void **state) {
    (void)state;
    write_records("c/test.bin", (unsigned char[]){20, 98}, 2, 1, 9);
    expect_fail(read100, (void *)"c", "c/test.bin: the coarse label of image 1 of 1 is 20");
    write_records("c/test.bin", (unsigned char[]){0, 100}, 2, 1, 9);
    expect_fail(read100, (void *)"c", "c/test.bin: the label of image 1 of 1 is 100");
    write_records("c/test.bin", (unsigned char[]){0, 9, 0, 9}, 2, 2, 9);
    expect_fail(read100, (void *)"c", "c/train.bin holds 5 images and ");
}

#define TEST(name, made) cmocka_unit_test_setup(name, made)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_cifar10, make_cifar10),
        TEST(reads_an_archive, make_cifar10),
        TEST(reads_cifar100, make_cifar100),
        TEST(refuses_wrong_sizes, make_cifar10),
        TEST(refuses_wrong_labels, make_cifar10),
        TEST(refuses_missing_and_double_files, make_cifar10),
        TEST(refuses_wrong_names, make_cifar10),
        TEST(refuses_wrong_cifar100, make_cifar100),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
