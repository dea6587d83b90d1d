/* file_tree: folders and archives alike, and every archive that is refused. */
#include "file_tree.h"

#include "scratch.h"

static const member files[] = {
    {"top/b.txt", "second", 6, NULL}, {"top/a.txt", "first", 5, NULL}, {"./empty", "", 0, NULL}};

static char *read_all(const char *name) {
    char *text, *bytes;
    size_t length, size;
    FILE *stream = open_memstream(&text, &length);
    file_tree *tree = open_file_tree(scratch(name));
    for (const char *file; (file = next_file(tree));) {
        bytes = read_tree_file(tree, &size);
        assert_int_equal(strlen(bytes), size);
        fprintf(stream, "%s=%s;", file, bytes);
        free(bytes);
    }
    close_file_tree(tree);
    fclose(stream);
    return text;
}

static void check_all(const char *name, const char *expected) {
    char *text = read_all(name);
    assert_string_equal(text, expected);
    free(text);
}

static void read_action(void *name) {
    free(read_all(name));
}

static void walk_action(void *name) {
    file_tree *tree = open_file_tree(scratch(name));
    while (next_file(tree))
        ;
    close_file_tree(tree);
}

static void refuses(const char *name, const char *sentence) {
    expect_fail(read_action, (void *)name, sentence);
}

static void reads_archives(void **state) {
    (void)state;
    static const char *const names[] = {"x.tar", "x.tgz", "x.zip"};
    for (int kind = PLAIN_TAR; kind <= ZIP; kind++) {
        write_archive(names[kind], (archive_kind)kind, files, 3);
        check_all(names[kind], "top/b.txt=second;top/a.txt=first;empty=;");
    }
}

static void reads_folders(void **state) {
    (void)state;
    write_scratch_text("folder/top/b.txt", "second");
    write_scratch_text("folder/top/a.txt", "first");
    write_scratch_text("folder/empty", "");
    assert_int_equal(symlink("a.txt", scratch("folder/top/link")), 0);
    check_all("folder", "empty=;top/a.txt=first;top/b.txt=second;top/link=first;");
    check_all("folder/", "empty=;top/a.txt=first;top/b.txt=second;top/link=first;");
}

static void refuses_a_folder_in_itself(void **state) {
    (void)state;
    write_scratch_text("folder/a", "a");
    assert_int_equal(symlink("..", scratch("folder/up")), 0);
    refuses("folder", "is a link to a folder that it lies in");
    assert_int_equal(unlink(scratch("folder/up")), 0);
    assert_int_equal(symlink("nowhere", scratch("folder/z")), 0);
    refuses("folder", "folder/z is a link to nothing");
}

static void refuses_names_that_lead_out(void **state) {
    (void)state;
    static const char *const names[] = {"../x", "a/../../x", "a/..", "..", "/etc/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int kind = PLAIN_TAR; kind <= ZIP; kind++) {
            const member members[] = {{"fine", "1", 1, NULL}, {names[i], "2", 1, NULL}};
            write_archive("x", (archive_kind)kind, members, 2);
            refuses("x", *names[i] == '/' ? "holds the absolute path /etc/x" : "leads out of it");
        }
    const member dots[] = {{"..a/b../c...d", "1", 1, NULL}};
    write_archive("x", GZIP_TAR, dots, 1);
    check_all("x", "..a/b../c...d=1;");
}

static void refuses_links(void **state) {
    (void)state;
    const member members[] = {{"link", NULL, 0, "/etc/passwd"}};
    write_archive("x", GZIP_TAR, members, 1);
    refuses("x", "is refused: link in it is a link");
    write_archive("x", ZIP, members, 1);
    refuses("x", "is refused: link in it is a link");
}

static void refuses_what_is_no_archive(void **state) {
    (void)state;
    write_scratch_text("text", "not an archive");
    refuses("text", "text: Unrecognized archive format");
    write_scratch_text("text", "");
    refuses("text", "text: Unrecognized archive format");
    refuses("nowhere", "nowhere: No such file or directory");
}

/* Random bytes do not compress, so that every part of the archive holds some of them. */
static void make_big(archive_kind kind) {
    enum { SIZE = 100000 };
    unsigned char *bytes = malloc(SIZE);
    unsigned state = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
    const member members[] = {{"big", bytes, SIZE, NULL}};
    write_archive("big", kind, members, 1);
    free(bytes);
}

static void refuses_damage(void **state) {
    (void)state;
    static const size_t cuts[] = {1, 8, 9, 500, 50000, 99000};
    make_big(GZIP_TAR);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        damage("big", "cut", cuts[i], 0);
        expect_fail(walk_action, (void *)"cut", "cut");
    }
    damage("big", "flipped", 0, 50000);
    expect_fail(walk_action, (void *)"flipped", "flipped");
    damage("big", "flipped", 0, 6); /* in the checksum at the end */
    expect_fail(walk_action, (void *)"flipped", "incorrect data check");
    make_big(PLAIN_TAR);
    damage("big", "cut", 50000, 0);
    expect_fail(walk_action, (void *)"cut", "Truncated");
}

static void refuses_damaged_zip(void **state) {
    (void)state;
    make_big(ZIP);
    damage("big", "cut", 50000, 0);
    expect_fail(read_action, (void *)"cut", "cut");
    damage("big", "flipped", 0, 50000);
    expect_fail(read_action, (void *)"flipped", "flipped");
}

#define TEST(name) cmocka_unit_test_setup(name, empty_scratch)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(reads_archives),
        TEST(reads_folders),
        TEST(refuses_a_folder_in_itself),
        TEST(refuses_names_that_lead_out),
        TEST(refuses_links),
        TEST(refuses_what_is_no_archive),
        TEST(refuses_damage),
        TEST(refuses_damaged_zip),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
