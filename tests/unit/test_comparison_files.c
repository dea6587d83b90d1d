/* comparison_files: a comparison read back, names that need quotes, every refusal. */
#include "comparison_files.h"

#include <sys/stat.h>

#include "csv_table.h"
#include "expect_fail.h"

#define ABOUT                                                                                      \
    "version=0.1.0\ncommand=darknet dlb compare a=b\ndata=/d/x.data\nprotocol=equal-updates-2n\n"  \
    "topk=5\nseeds=3,1,2\ntrain_images=60\nvalid_images=10\nbuild=\nvalid_every=2\nlists_crc32="   \
    "7\n"
#define ARMS                                                                                       \
    ARMS_HEADER                                                                                    \
    "\nb,baseline,,4,1,9,b.cfg\n\"d, \"\"x\"\"\",arm,,8,2,9,d.cfg\n"                               \
    "c,control,\"d, \"\"x\"\"\",8,2,9,c.cfg\n"
#define RUN "command=train\nseconds=1.5\npeak_memory_kib=7\nthreads=2\nstarted=now\n"

static char folder[] = "/tmp/test_comparison_files.XXXXXX";
static char path[sizeof folder + 64];

static const char *path_of(const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const char *text) {
    FILE *out = fopen(path_of(name), "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder) || mkdir(path_of("b"), 0777) != 0)
        return -1;
    return mkdir(path_of("b/seed-3"), 0777);
}

static int put_good_files(void **state) {
    (void)state;
    put_file("comparison.txt", ABOUT);
    put_file("arms.csv", ARMS);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"comparison.txt", "arms.csv", "b/seed-3/finished.txt",
                                        "b/seed-3/failed.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(path_of("b/seed-3"));
    rmdir(path_of("b"));
    return rmdir(folder);
}

static void read_it(void *unused) {
    (void)unused;
    comparison about = read_comparison(folder);
    free_comparison(&about);
}

static void read_run(void *unused) {
    (void)unused;
    run_record record = read_run_record(folder, "b", 3);
    free_run_record(&record);
}

static void refuses_about(const char *text, const char *sentence) {
    put_file("comparison.txt", text);
    expect_fail(read_it, NULL, sentence);
}

static void refuses_arms(const char *rows, const char *sentence) {
    char text[512];
    snprintf(text, sizeof text, "%s\n%s", ARMS_HEADER, rows);
    put_file("arms.csv", text);
    expect_fail(read_it, NULL, sentence);
}

/* ---- what is read ---- */

static void a_comparison_is_read(void **state) {
    (void)state;
    comparison about = read_comparison(folder);
    assert_string_equal(about.command, "darknet dlb compare a=b");
    assert_string_equal(about.build, "");
    assert_int_equal(about.protocol, EQUAL_UPDATES_2N);
    assert_int_equal(about.seed_count, 3);
    assert_int_equal(about.seeds[0], 3);
    assert_int_equal(about.train_images, 60);
    assert_int_equal(about.arm_count, 3);
    assert_int_equal(about.baseline, 0);
    assert_string_equal(about.arms[1].name, "d, \"x\"");
    assert_int_equal(about.arms[1].batch, 8);
    assert_int_equal(about.arms[2].role, CONTROL_ARM);
    assert_int_equal(about.arms[2].parent, 1);
    assert_string_equal(about.arms[2].cfg, "c.cfg");
    free_comparison(&about);
}

static void a_field_that_is_written_is_read_back(void **state) {
    (void)state;
    static const char *const names[] = {"plain", "a,b", "\"", " blanks ", "two\nlines", "cr\r"};
    FILE *out = fopen(path_of("arms.csv"), "w");
    assert_non_null(out);
    fputs("n,m\n", out);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_csv_field(out, names[i]);
        fputs(",\n", out);
    }
    assert_int_equal(fclose(out), 0);
    csv_table table = read_csv(path_of("arms.csv"), "n,m");
    assert_int_equal(table.rows, sizeof names / sizeof *names);
    for (size_t i = 0; i < table.rows; i++) {
        assert_string_equal(csv_field(&table, i, 0), names[i]);
        assert_string_equal(csv_field(&table, i, 1), "");
    }
    assert_int_equal(table.lines[5], 8);
    free_csv(&table);
}

static void a_runs_state_is_that_of_its_file(void **state) {
    (void)state;
    assert_int_equal(find_run_state(folder, "b", 3), RUN_MISSING);
    put_file("b/seed-3/failed.txt", RUN "status=137\nerror=a=b \n");
    run_record record = read_run_record(folder, "b", 3);
    assert_int_equal(record.state, RUN_FAILED);
    assert_int_equal(record.status, 137);
    assert_string_equal(record.error, "a=b ");
    free_run_record(&record);
    put_file("b/seed-3/finished.txt", RUN "status=0\n");
    record = read_run_record(folder, "b", 3);
    assert_int_equal(record.state, RUN_FINISHED);
    assert_int_equal(record.peak_memory_kib, 7);
    assert_true(record.seconds == 1.5 && !record.error);
    free_run_record(&record);
}

/* ---- refusals ---- */

static void a_missing_comparison_is_refused(void **state) {
    (void)state;
    unlink(path_of("arms.csv"));
    expect_fail(read_it, NULL, "/arms.csv: No such file or directory");
    unlink(path_of("comparison.txt"));
    expect_fail(read_it, NULL, "/comparison.txt: No such file or directory");
}

static void a_bad_comparison_is_refused(void **state) {
    (void)state;
    refuses_about("", "/comparison.txt does not say \"version\"");
    refuses_about(ABOUT "x=1\n", "/comparison.txt, line 12: unknown key \"x\"");
    refuses_about(ABOUT "topk=1\n", "/comparison.txt, line 12: a second \"topk\"");
    refuses_about(ABOUT "topk\n", "/comparison.txt, line 12: \"topk\" is not KEY=VALUE");
    refuses_about("version=0.1", "/comparison.txt, line 1: the last line is cut");
    refuses_about("version=0.1.0\ncommand=\ndata=\nprotocol=equal\ntopk=5\nseeds=1\n"
                  "train_images=1\nvalid_images=1\nbuild=\nvalid_every=1\nlists_crc32=0\n",
                  "protocol=equal is neither equal-images nor equal-updates-2n");
    refuses_about("version=0.1.0\ncommand=\ndata=\nprotocol=equal-images\ntopk=0\nseeds=1\n"
                  "train_images=1\nvalid_images=1\nbuild=\nvalid_every=1\nlists_crc32=0\n",
                  "topk=0 is not a whole number of at least 1");
    refuses_about("version=0.1.0\ncommand=\ndata=\nprotocol=equal-images\ntopk=1\nseeds=1,,2\n"
                  "train_images=1\nvalid_images=1\nbuild=\nvalid_every=1\nlists_crc32=0\n",
                  "the seed \"\" is not a whole number");
    refuses_about("version=0.1.0\ncommand=\ndata=\nprotocol=equal-images\ntopk=1\nseeds=1,01\n"
                  "train_images=1\nvalid_images=1\nbuild=\nvalid_every=1\nlists_crc32=0\n",
                  "the seed 01 occurs twice");
}

static void bad_arms_are_refused(void **state) {
    (void)state;
    refuses_arms("", "/arms.csv has 0 arms with the role baseline");
    refuses_arms("a,baseline,,1,1,1,a\nb,baseline,,1,1,1,b\n", "/arms.csv has 2 arms with");
    refuses_arms("a,base,,1,1,1,a\n", ", line 2: the role \"base\" is none of");
    refuses_arms("a/b,baseline,,1,1,1,a\n", ", line 2: the arm \"a/b\" cannot be the name of");
    refuses_arms("..,baseline,,1,1,1,a\n", ", line 2: the arm \"..\" cannot be the name of");
    refuses_arms("a,baseline,,1,1,1,a\na,arm,,1,1,1,b\n", ", line 3: a second arm \"a\"");
    refuses_arms("a,baseline,,0,1,1,a\n", ", line 2: batch is \"0\"");
    refuses_arms("a,baseline,,1,1,x,a\n", ", line 2: max_batches is \"x\"");
    refuses_arms("a,baseline,b,1,1,1,a\n", ", line 2: a parent, \"b\", but only a control has one");
    refuses_arms("a,baseline,,1,1,1,a\nc,control,c,1,1,1,c\n",
                 ", line 3: the parent \"c\" is no other arm");
}

static void a_bad_run_is_refused(void **state) {
    (void)state;
    put_file("b/seed-3/finished.txt", RUN "status=1\n");
    expect_fail(read_run, NULL, "/finished.txt says status=1, but the run has finished");
    put_file("b/seed-3/finished.txt", RUN "status=0\nerror=x\n");
    expect_fail(read_run, NULL, "/finished.txt, line 7: unknown key \"error\"");
    unlink(path_of("b/seed-3/finished.txt"));
    put_file("b/seed-3/failed.txt", RUN "status=0\nerror=x\n");
    expect_fail(read_run, NULL, "/failed.txt says status=0, but the run has failed");
    put_file("b/seed-3/failed.txt", RUN "status=1\n");
    expect_fail(read_run, NULL, "/failed.txt does not say \"error\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_comparison_is_read, put_good_files),
        cmocka_unit_test(a_field_that_is_written_is_read_back),
        cmocka_unit_test(a_runs_state_is_that_of_its_file),
        cmocka_unit_test_setup(a_missing_comparison_is_refused, put_good_files),
        cmocka_unit_test_setup(a_bad_comparison_is_refused, put_good_files),
        cmocka_unit_test_setup(bad_arms_are_refused, put_good_files),
        cmocka_unit_test(a_bad_run_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
