/* train_list: labels from the path and explicit ones, unusual files, every refusal. */
#include "train_list.h"

#include <stdbool.h>

#include "expect_fail.h"
#include "random_stream.h"

enum { CLASSES = 3 };
static char *const names[CLASSES] = {"cat", "dog", "ape"};

static char folder[] = "/tmp/test_train_list.XXXXXX";
static char file[sizeof folder + 8];

static void write_list(const void *bytes, size_t size) {
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void write_text(const char *text) {
    write_list(text, strlen(text));
}

/* What a list has to hold: paths and labels, a NULL path after the last. */
typedef struct {
    const char *path;
    int label;
} expected_line;

static void check_list(const expected_line *expected) {
    train_list list = train_list_read(file, names, CLASSES);
    int count = 0;
    for (; expected[count].path; count++) {
        assert_true(count < list.count);
        assert_string_equal(list.paths[count], expected[count].path);
        assert_int_equal(list.labels[count], expected[count].label);
    }
    assert_int_equal(list.count, count);
    train_list_free(&list);
}

static void read_list(void *path) {
    train_list list = train_list_read(path, names, CLASSES);
    train_list_free(&list);
}

static void read_list_of_one_class(void *path) {
    train_list list = train_list_read(path, names, 1);
    train_list_free(&list);
}

/* The names are the argument. */
static void read_list_of_two_classes(void *two_names) {
    train_list list = train_list_read(file, two_names, 2);
    train_list_free(&list);
}

/* `length` letters from a to c. */
static void random_word(random_stream *stream, char *word, int length) {
    for (int i = 0; i < length; i++)
        word[i] = "abc"[random_below(stream, 3)];
    word[length] = '\0';
}

static void refuse_text(const char *text, const char *sentence) {
    write_text(text);
    expect_fail(read_list, file, sentence);
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/list", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

/* ---- labels ---- */

static void the_class_is_found_in_the_path(void **state) {
    (void)state;
    write_text("/data/cat/1.png\n/data/2_dog.png\nape.jpg\n");
    check_list(
        (expected_line[]){{"/data/cat/1.png", 0}, {"/data/2_dog.png", 1}, {"ape.jpg", 2}, {0}});
}

static void a_class_after_a_tab_overrules_the_path(void **state) {
    (void)state;
    write_text("/data/1.png\tdog\n/cat/dog/2.png\tape\n");
    check_list((expected_line[]){{"/data/1.png", 1}, {"/cat/dog/2.png", 2}, {0}});
}

static void only_the_last_tab_separates(void **state) {
    (void)state;
    write_text("a\tb.png\tcat\n");
    check_list((expected_line[]){{"a\tb.png", 0}, {0}});
}

static void both_ways_may_stand_in_one_list(void **state) {
    (void)state;
    write_text("cat.png\nx.png\tape\ndog.png\n");
    check_list((expected_line[]){{"cat.png", 0}, {"x.png", 2}, {"dog.png", 1}, {0}});
}

static void with_one_class_a_label_may_be_missing(void **state) {
    (void)state;
    write_text("cat.png\nx.png\ny.png\tcat\n");
    train_list list = train_list_read(file, names, 1);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.labels[0], 0);
    assert_int_equal(list.labels[1], NO_LABEL);
    assert_int_equal(list.labels[2], 0);
    train_list_free(&list);
}

static void with_one_class_an_explicit_label_must_still_be_its_name(void **state) {
    (void)state;
    write_text("cat.png\tdog\n");
    expect_fail(read_list_of_one_class, file, "(no class is called \"dog\")");
}

static void a_path_without_a_class_is_refused(void **state) {
    (void)state;
    refuse_text("cat.png\nbird.png\n",
                "/list: 1 of 2 images have no label or several: bird.png (none)");
}

static void a_path_with_several_classes_is_refused(void **state) {
    (void)state;
    refuse_text("cat/dog.png\n",
                "/list: 1 of 1 images have no label or several: cat/dog.png (several)");
}

static void an_unknown_explicit_class_is_refused(void **state) {
    (void)state;
    refuse_text("cat.png\tbird\n", "cat.png (no class is called \"bird\")");
    refuse_text("cat.png\tca\n", "cat.png (no class is called \"ca\")");
    refuse_text("cat.png\t\n", "cat.png (no class is called \"\")");
}

static void a_class_is_found_however_often_and_wherever_its_name_stands(void **state) {
    (void)state;
    write_text("catcatcat\n__cat\ncat__\ncacat\n");
    check_list((expected_line[]){{"catcatcat", 0}, {"__cat", 0}, {"cat__", 0}, {"cacat", 0}, {0}});
}

static void two_classes_of_one_name_are_several(void **state) {
    (void)state;
    static char *const twins[] = {"cat", "cat"};
    write_text("cat.png\n");
    expect_fail(read_list_of_two_classes, (void *)twins, "cat.png (several)");
}

enum { WORDS = 12, PATHS = 3000 };
static char words[WORDS][16], paths[PATHS][24];
static int class_of[PATHS], class_count[PATHS]; /* as the host finds them */

static void label_paths_as_the_host(void) {
    for (int i = 0; i < PATHS; i++) {
        class_count[i] = 0;
        for (int k = 0; k < WORDS; k++)
            if (strstr(paths[i], words[k])) {
                class_of[i] = k;
                class_count[i]++;
            }
    }
}

/* Writes the paths with just one class, or all of them; returns how many. */
static int write_paths(bool all) {
    int count = 0;
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    for (int i = 0; i < PATHS; i++)
        if (all || class_count[i] == 1) {
            fprintf(out, "%s\n", paths[i]);
            count++;
        }
    assert_int_equal(fclose(out), 0);
    return count;
}

static void read_words_list(void *names_of_words) {
    train_list list = train_list_read(file, names_of_words, WORDS);
    train_list_free(&list);
}

/* Words of three letters, so that names are found in names and in many paths. */
static void many_classes_are_found_as_the_host_finds_them(void **state) {
    (void)state;
    char *pointers[WORDS], sentence[64];
    random_stream stream = {1};
    for (int k = 0; k < WORDS; k++)
        random_word(&stream, pointers[k] = words[k], 3 + k / 3);
    for (int i = 0; i < PATHS; i++)
        random_word(&stream, paths[i], 1 + i % 20);
    label_paths_as_the_host();
    int good = write_paths(false), checked = 0;
    assert_in_range(good, PATHS / 10, PATHS / 2);
    train_list list = train_list_read(file, pointers, WORDS);
    assert_int_equal(list.count, good);
    for (int i = 0; i < PATHS; i++)
        if (class_count[i] == 1) {
            assert_string_equal(list.paths[checked], paths[i]);
            assert_int_equal(list.labels[checked++], class_of[i]);
        }
    train_list_free(&list);
    write_paths(true);
    snprintf(sentence, sizeof sentence, ": %d of %d images have no label", PATHS - good, PATHS);
    expect_fail(read_words_list, pointers, sentence);
}

static void the_first_five_bad_lines_and_their_number_are_told(void **state) {
    (void)state;
    refuse_text("1\n2\n3\n4\n5\n", ": 5 of 5 images have no label or several: "
                                   "1 (none), 2 (none), 3 (none), 4 (none), 5 (none)\n");
    refuse_text("1\n2\n3\n4\n5\n6\n", "5 (none), ...\n");
    refuse_text("cat\n1\n2\ndog\n3\n4\n5\n6\n7\n",
                ": 7 of 9 images have no label or several: "
                "1 (none), 2 (none), 3 (none), 4 (none), 5 (none), ...\n");
}

/* ---- the file ---- */

static void crlf_ends_a_line(void **state) {
    (void)state;
    write_text("cat.png\r\nx.png\tdog\r\n\r\nape.png\r");
    check_list((expected_line[]){{"cat.png", 0}, {"x.png", 1}, {"ape.png", 2}, {0}});
}

static void the_final_newline_may_be_missing(void **state) {
    (void)state;
    write_text("cat.png\ndog.png");
    check_list((expected_line[]){{"cat.png", 0}, {"dog.png", 1}, {0}});
}

static void empty_lines_are_left_out(void **state) {
    (void)state;
    write_text("\n\ncat.png\n\n\ndog.png\n\n\n");
    check_list((expected_line[]){{"cat.png", 0}, {"dog.png", 1}, {0}});
}

static void spaces_belong_to_the_path(void **state) {
    (void)state;
    write_text(" my cat.png \na dog 2.png\n");
    check_list((expected_line[]){{" my cat.png ", 0}, {"a dog 2.png", 1}, {0}});
}

static void paths_and_classes_may_be_utf8(void **state) {
    (void)state;
    char *const classes[] = {"\xc3\xa9t\xc3\xa9", "\xe7\x8c\xab"};
    write_text("/\xc3\xa9t\xc3\xa9/1.png\n2.png\t\xe7\x8c\xab\n");
    train_list list = train_list_read(file, classes, 2);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.paths[0], "/\xc3\xa9t\xc3\xa9/1.png");
    assert_int_equal(list.labels[0], 0);
    assert_int_equal(list.labels[1], 1);
    train_list_free(&list);
}

/* Lines longer than any fixed buffer, and together more than the first block that is read. */
static void a_path_may_be_very_long(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    char *text = malloc(2 * LENGTH + 3);
    assert_non_null(text);
    memset(text, 'x', 2 * LENGTH + 2);
    memcpy(text, "cat", 3);
    memcpy(text + 2 * LENGTH - 2, "dog", 3);
    text[LENGTH] = '\n';
    text[2 * LENGTH + 1] = '\n';
    text[2 * LENGTH + 2] = '\0';
    write_text(text);
    text[LENGTH] = text[2 * LENGTH + 1] = '\0';
    check_list((expected_line[]){{text, 0}, {text + LENGTH + 1, 1}, {0}});
    free(text);
}

static void a_very_long_bad_path_is_told_in_full(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH + 8);
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    memcpy(text + LENGTH, " (none)", 8);
    write_list(text, LENGTH);
    expect_fail(read_list, file, text);
    free(text);
}

static void a_list_may_have_many_lines(void **state) {
    (void)state;
    enum { LINES = 50000 };
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    for (int i = 0; i < LINES; i++)
        fprintf(out, "%s/%d.png\n", names[i % CLASSES], i);
    assert_int_equal(fclose(out), 0);
    train_list list = train_list_read(file, names, CLASSES);
    assert_int_equal(list.count, LINES);
    for (int i = 0; i < LINES; i++) {
        char path[32];
        snprintf(path, sizeof path, "%s/%d.png", names[i % CLASSES], i);
        assert_string_equal(list.paths[i], path);
        assert_int_equal(list.labels[i], i % CLASSES);
    }
    train_list_free(&list);
}

static void a_list_without_an_image_is_refused(void **state) {
    (void)state;
    refuse_text("", "/list names no image");
    refuse_text("\n\r\n\n", "/list names no image");
}

static void a_missing_file_is_refused(void **state) {
    (void)state;
    unlink(file);
    expect_fail(read_list, file, "/list: No such file or directory");
    expect_fail(read_list, file, "cannot read /tmp/test_train_list.");
}

static void a_directory_is_refused(void **state) {
    (void)state;
    expect_fail(read_list, folder, ": Is a directory");
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    write_list("cat.png\ndog\0.png\n", 17);
    expect_fail(read_list, file, "/list is not a text file: byte 11 is zero");
}

/* ---- read_lines ---- */

static void check_lines(const char *text, const char *const *expected, int expected_count) {
    int count;
    write_text(text);
    char **lines = read_lines(file, &count);
    assert_int_equal(count, expected_count);
    for (int i = 0; i < count; i++) {
        assert_string_equal(lines[i], expected[i]);
        free(lines[i]);
    }
    free(lines);
}

static void read_lines_keeps_every_line(void **state) {
    (void)state;
    check_lines("cat\ndog\r\n\na b ", (const char *[]){"cat", "dog", "", "a b "}, 4);
    check_lines("cat\n", (const char *[]){"cat"}, 1);
    check_lines("", NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_class_is_found_in_the_path),
        cmocka_unit_test(a_class_after_a_tab_overrules_the_path),
        cmocka_unit_test(only_the_last_tab_separates),
        cmocka_unit_test(both_ways_may_stand_in_one_list),
        cmocka_unit_test(with_one_class_a_label_may_be_missing),
        cmocka_unit_test(with_one_class_an_explicit_label_must_still_be_its_name),
        cmocka_unit_test(a_path_without_a_class_is_refused),
        cmocka_unit_test(a_path_with_several_classes_is_refused),
        cmocka_unit_test(an_unknown_explicit_class_is_refused),
        cmocka_unit_test(a_class_is_found_however_often_and_wherever_its_name_stands),
        cmocka_unit_test(two_classes_of_one_name_are_several),
        cmocka_unit_test(many_classes_are_found_as_the_host_finds_them),
        cmocka_unit_test(the_first_five_bad_lines_and_their_number_are_told),
        cmocka_unit_test(crlf_ends_a_line),
        cmocka_unit_test(the_final_newline_may_be_missing),
        cmocka_unit_test(empty_lines_are_left_out),
        cmocka_unit_test(spaces_belong_to_the_path),
        cmocka_unit_test(paths_and_classes_may_be_utf8),
        cmocka_unit_test(a_path_may_be_very_long),
        cmocka_unit_test(a_very_long_bad_path_is_told_in_full),
        cmocka_unit_test(a_list_may_have_many_lines),
        cmocka_unit_test(a_list_without_an_image_is_refused),
        cmocka_unit_test(a_missing_file_is_refused),
        cmocka_unit_test(a_directory_is_refused),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(read_lines_keeps_every_line),
    };
    return cmocka_run_group_tests_name("train_list", tests, make_folder, remove_folder);
}
