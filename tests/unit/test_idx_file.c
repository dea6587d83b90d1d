/* idx_file: good files, plain and compressed, and every way a file can be wrong. */
#include "idx_file.h"

#include <sys/stat.h>
#include <zlib.h>

#include "expect_fail.h"

/* Two images of 2 rows and 3 columns; three labels. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                       0, 3, 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 255};
static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 4};

static char folder[] = "/tmp/test_idx_file.XXXXXX";
static char path[sizeof folder + 32];

static const char *path_of(const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_plain(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_gz(const char *name, const void *bytes, size_t size) {
    gzFile file = gzopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Rewrites the compressed file `name`: without its last `cut` bytes, and with the byte at
 * `flip_from_end`, where that is not 0, turned over. */
static void damage_gz(const char *name, size_t cut, size_t flip_from_end) {
    unsigned char bytes[4096];
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    if (flip_from_end)
        bytes[size - flip_from_end] ^= 0xff;
    write_plain(name, bytes, size - cut);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"images", "images.gz", "labels", "labels.gz", "big.gz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

static void read_images(void *name) {
    idx_file file = read_idx_images(path_of(name), 2, 3);
    free_idx_file(&file);
}

static void read_labels(void *name) {
    idx_file file = read_idx_labels(path_of(name), 10);
    free_idx_file(&file);
}

static void find_labels(void *where) {
    free(find_idx_file(where, "labels"));
}

static void check_images(const char *name) {
    idx_file file = read_idx_images(path_of(name), 2, 3);
    assert_int_equal(file.count, 2);
    assert_int_equal(file.item_size, 6);
    assert_memory_equal(file.bytes, images + 16, 12);
    free_idx_file(&file);
    assert_null(file.bytes);
}

static void check_labels(const char *name) {
    idx_file file = read_idx_labels(path_of(name), 10);
    assert_int_equal(file.count, 3);
    assert_int_equal(file.item_size, 1);
    assert_memory_equal(file.bytes, labels + 8, 3);
    free_idx_file(&file);
}

static void reads_plain_files(void **state) {
    (void)state;
    write_plain("images", images, sizeof images);
    write_plain("labels", labels, sizeof labels);
    check_images("images");
    check_labels("labels");
}

static void reads_compressed_files(void **state) {
    (void)state;
    write_gz("images.gz", images, sizeof images);
    write_gz("labels.gz", labels, sizeof labels);
    check_images("images.gz");
    check_labels("labels.gz");
}

/* More than the buffer that reading begins with, and not a multiple of it. */
static void reads_a_big_file(void **state) {
    (void)state;
    size_t count = 3 * 1048576 + 5;
    unsigned char *bytes = calloc(count + 8, 1);
    assert_non_null(bytes);
    memcpy(bytes, "\0\0\10\1\0\60\0\5", 8);
    for (size_t i = 0; i < count; i++)
        bytes[8 + i] = (unsigned char)(i % 7);
    write_gz("big.gz", bytes, count + 8);
    idx_file file = read_idx_labels(path_of("big.gz"), 7);
    assert_int_equal(file.count, count);
    assert_memory_equal(file.bytes, bytes + 8, count);
    free_idx_file(&file);
    free(bytes);
}

static void finds_compressed_before_plain(void **state) {
    (void)state;
    write_plain("labels", labels, sizeof labels);
    write_gz("labels.gz", labels, sizeof labels);
    char *found = find_idx_file(folder, "labels");
    assert_string_equal(found, path_of("labels.gz"));
    free(found);
    assert_int_equal(unlink(path_of("labels.gz")), 0);
    found = find_idx_file(folder, "labels");
    assert_string_equal(found, path_of("labels"));
    free(found);
    assert_int_equal(unlink(path_of("labels")), 0);
    expect_fail(find_labels, folder,
                "/labels.gz, nor the same without .gz: No such file or directory");
}

static void refuses_what_cannot_be_opened_or_read(void **state) {
    (void)state;
    unlink(path_of("images"));
    expect_fail(read_images, "images", "cannot open /tmp/test_idx_file.");
    expect_fail(read_images, "images", "/images: No such file or directory");
    expect_fail(read_images, "", ": Is a directory");
}

static void refuses_a_wrong_magic(void **state) {
    (void)state;
    write_plain("images", labels, sizeof labels);
    expect_fail(
        read_images, "images",
        "/images begins with the magic number 0x00000801, but IDX images begin with 0x00000803");
    write_gz("labels.gz", images, sizeof images);
    expect_fail(
        read_labels, "labels.gz",
        "/labels.gz begins with the magic number 0x00000803, but IDX labels begin with 0x00000801");
}

static void refuses_a_truncated_file(void **state) {
    (void)state;
    write_plain("images", images, 0);
    expect_fail(read_images, "images",
                "/images is truncated: 0 bytes, but its header alone takes 16");
    write_plain("images", images, 15);
    expect_fail(read_images, "images", "truncated: 15 bytes, but its header alone takes 16");
    write_plain("labels", labels, 7);
    expect_fail(read_labels, "labels", "truncated: 7 bytes, but its header alone takes 8");
    write_plain("images", images, sizeof images - 1);
    expect_fail(read_images, "images",
                "truncated: its header announces 12 bytes of images, but only 11 follow");
    write_gz("labels.gz", labels, sizeof labels - 2);
    expect_fail(read_labels, "labels.gz",
                "truncated: its header announces 3 bytes of labels, but only 1 follow");
}

/* A header that announces the largest count there is must not make the reader ask for as much. */
static void refuses_an_absurd_count(void **state) {
    (void)state;
    unsigned char absurd[sizeof images];
    memcpy(absurd, images, sizeof images);
    memset(absurd + 4, 0xff, 4);
    write_plain("images", absurd, sizeof absurd);
    expect_fail(read_images, "images", "announces 25769803770 bytes of images, but only 12 follow");
}

static void refuses_a_damaged_gzip_stream(void **state) {
    (void)state;
    write_gz("images.gz", images, sizeof images);
    damage_gz("images.gz", 8, 0);
    expect_fail(read_images, "images.gz",
                "truncated: all 12 bytes of images are there, but not the end of the gzip stream");
    write_gz("images.gz", images, sizeof images);
    damage_gz("images.gz", 12, 0);
    expect_fail(read_images, "images.gz", "truncated: its header announces 12 bytes");
    write_gz("images.gz", images, sizeof images);
    damage_gz("images.gz", 0, 8);
    expect_fail(read_images, "images.gz", "/images.gz: ");
    expect_fail(read_images, "images.gz", "incorrect data check");
}

static void refuses_a_file_that_goes_on(void **state) {
    (void)state;
    unsigned char longer[sizeof images + 1] = {0};
    memcpy(longer, images, sizeof images);
    write_plain("images", longer, sizeof longer);
    expect_fail(read_images, "images",
                "/images is longer than its header says: more than 12 bytes of images");
    write_gz("images.gz", longer, sizeof longer);
    expect_fail(read_images, "images.gz", "longer than its header says");
}

static void refuses_another_image_size(void **state) {
    (void)state;
    unsigned char turned[sizeof images];
    memcpy(turned, images, sizeof images);
    turned[11] = 3;
    turned[15] = 2;
    write_plain("images", turned, sizeof turned);
    expect_fail(read_images, "images", "/images holds images of 3x2 pixels, but 2x3 are expected");
}

static void refuses_an_empty_set(void **state) {
    (void)state;
    static const unsigned char none[] = {0, 0, 8, 1, 0, 0, 0, 0};
    write_plain("labels", none, sizeof none);
    expect_fail(read_labels, "labels", "/labels holds no labels");
}

static void refuses_a_label_out_of_range(void **state) {
    (void)state;
    unsigned char wrong[sizeof labels];
    memcpy(wrong, labels, sizeof labels);
    wrong[9] = 10;
    write_plain("labels", wrong, sizeof wrong);
    expect_fail(read_labels, "labels", "/labels: label 2 of 3 is 10, but only 0 to 9 are classes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_files),
        cmocka_unit_test(reads_compressed_files),
        cmocka_unit_test(reads_a_big_file),
        cmocka_unit_test(finds_compressed_before_plain),
        cmocka_unit_test(refuses_what_cannot_be_opened_or_read),
        cmocka_unit_test(refuses_a_wrong_magic),
        cmocka_unit_test(refuses_a_truncated_file),
        cmocka_unit_test(refuses_an_absurd_count),
        cmocka_unit_test(refuses_a_damaged_gzip_stream),
        cmocka_unit_test(refuses_a_file_that_goes_on),
        cmocka_unit_test(refuses_another_image_size),
        cmocka_unit_test(refuses_an_empty_set),
        cmocka_unit_test(refuses_a_label_out_of_range),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
