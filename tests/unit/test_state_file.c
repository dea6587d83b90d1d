/* state_file and fingerprint: blocks come back, damage of every kind is told apart, differences are
 * named. */
#include "fail.h"
#include "fingerprint.h"
#include "state_file.h"

#include "scratch.h"

/* ---- blocks ---- */

typedef struct {
    uint64_t count;
    float floats[3];
} content;

static const content plain = {7, {1.5f, -2, 0}};

static void put_content(state_writer *w, void *context) {
    const content *c = context;
    put_state(w, "count", &c->count, sizeof c->count);
    put_state(w, "empty", "", 0);
    put_state(w, "floats", c->floats, sizeof c->floats);
}

static void write_plain(void) {
    assert_null(write_state_file(scratch("x.state"), put_content, (void *)&plain));
}

static void blocks_come_back(void **state) {
    (void)state;
    char *error;
    size_t size;
    content found;
    write_plain();
    state_file *f = read_state_file(scratch("x.state"), &error);
    assert_non_null(f);
    get_state(f, "floats", found.floats, sizeof found.floats);
    get_state(f, "count", &found.count, sizeof found.count);
    assert_int_equal(found.count, 7);
    assert_memory_equal(found.floats, plain.floats, sizeof plain.floats);
    assert_non_null(find_state(f, "empty", &size));
    assert_int_equal(size, 0);
    assert_null(find_state(f, "float", &size));
    assert_string_equal(state_file_path(f), scratch("x.state"));
    state_file_free(f);
}

static void a_missing_file_is_no_error(void **state) {
    (void)state;
    char *error = (char *)state;
    assert_null(read_state_file(scratch("none.state"), &error));
    assert_null(error);
}

static void expect_error(const char *name, const char *expected) {
    char *error;
    state_file *f = read_state_file(scratch(name), &error);
    assert_null(f);
    assert_non_null(error);
    if (!strstr(error, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error);
    free(error);
}

static size_t size_of(const char *name) {
    struct stat about;
    assert_int_equal(stat(scratch(name), &about), 0);
    return (size_t)about.st_size;
}

static void every_length_but_the_right_one_is_refused(void **state) {
    (void)state;
    write_plain();
    size_t size = size_of("x.state");
    for (size_t cut = 1; cut < size; cut++) {
        damage("x.state", "cut.state", cut, 0);
        expect_error("cut.state", size - cut < 24 ? "is not a training's state"
                                                  : "bytes, but says that it has ");
    }
    char bytes[4096];
    FILE *file = fopen(scratch("x.state"), "rb");
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), size);
    fclose(file);
    bytes[size] = 0;
    write_scratch("long.state", bytes, size + 1);
    expect_error("long.state", "bytes, but says that it has ");
}

static void every_flipped_byte_is_noticed(void **state) {
    (void)state;
    write_plain();
    size_t size = size_of("x.state");
    for (size_t flip = 1; flip <= size; flip++) {
        damage("x.state", "flip.state", 0, flip);
        size_t at = size - flip;
        expect_error("flip.state", at < 8                ? "is not a training's state"
                                   : at < 12             ? "but this program reads version 1"
                                   : at >= 16 && at < 24 ? "bytes, but says that it has "
                                                         : "is damaged: its checksum");
    }
}

static void get_floats(void *block) {
    char *error;
    float floats[4];
    state_file *f = read_state_file(scratch("x.state"), &error);
    get_state(f, block, floats, sizeof floats);
}

static void blocks_of_another_size_or_name_are_refused(void **state) {
    (void)state;
    write_plain();
    expect_fail(get_floats, (void *)"floats",
                "block \"floats\" has 12 bytes, but this training's has 16");
    expect_fail(get_floats, (void *)"doubles", "x.state has no block \"doubles\"");
}

static void what_cannot_be_written_is_said(void **state) {
    (void)state;
    char *error = write_state_file(scratch("none/x.state"), put_content, (void *)&plain);
    assert_non_null(strstr(error, "none/x.state: No such file or directory"));
    free(error);
    char *link = format_string("%s", scratch("full.state"));
    assert_int_equal(symlink("/dev/full", link), 0);
    error = write_state_file(link, put_content, (void *)&plain);
    assert_non_null(strstr(error, "full.state: No space left on device"));
    free(error);
    free(link);
}

/* ---- fingerprints ---- */

static fingerprint print_of(const char *cfg, const char *seed) {
    fingerprint print = {0};
    fingerprint_add(&print, "cfg", cfg);
    fingerprint_add(&print, "seed", seed);
    return print;
}

static void check_difference(fingerprint was, fingerprint is, const char *expected) {
    char *difference = fingerprint_difference(was.bytes, was.size, &is);
    if (expected)
        assert_string_equal(difference, expected);
    else
        assert_null(difference);
    free(difference);
    fingerprint_free(&was);
    fingerprint_free(&is);
}

static void differences_are_named(void **state) {
    (void)state;
    check_difference(print_of("a\nb", "5"), print_of("a\nb", "5"), NULL);
    check_difference(print_of("a\nb", "5"), print_of("a\nb", "6"), "the seed was 5 and is 6");
    check_difference(print_of("a\nb=1\nc", "5"), print_of("a\nb=2\nc", "5"),
                     "line 2 of the cfg was \"b=1\" and is \"b=2\"");
    check_difference(print_of("a\nb\n", "5"), print_of("a\n", "5"),
                     "line 2 of the cfg was \"b\" and is \"\"");
    check_difference((fingerprint){0}, print_of("a", "5"), "the cfg was another one and is a");
}

static void broken_bytes_are_no_fingerprint(void **state) {
    (void)state;
    assert_null(fingerprint_text("cfg", 3, "cfg"));
    assert_null(fingerprint_text("cfg\0", 4, "cfg"));
    assert_null(fingerprint_text("cfg\0text", 8, "cfg"));
    assert_string_equal(fingerprint_text("cfg\0text", 9, "cfg"), "text");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(a_missing_file_is_no_error),
        cmocka_unit_test(every_length_but_the_right_one_is_refused),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(blocks_of_another_size_or_name_are_refused),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(differences_are_named),
        cmocka_unit_test(broken_bytes_are_no_fingerprint),
    };
    return cmocka_run_group_tests_name("state_file", tests, make_scratch, remove_scratch);
}
