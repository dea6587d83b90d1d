/* A program that becomes a launcher: a stand-in for mpirun writes down how it was called. */
#include "launcher.h"

#include "expect_fail.h"

#include <sys/stat.h>

static char folder[] = "/tmp/launcher_XXXXXX", mpirun[64], printed[64];

static int make_stand_in(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(mpirun, sizeof mpirun, "%s/stand_in", folder);
    snprintf(printed, sizeof printed, "%s/printed", folder);
    FILE *script = fopen(mpirun, "w");
    fprintf(script, "#!/bin/sh\nprintf '<%%s>' \"$@\" $DLB_RANKS >%s\nexit 7\n", printed);
    forget_launcher(); /* of who runs this test */
    return fclose(script) || chmod(mpirun, 0700);
}

static int remove_stand_in(void **state) {
    (void)state;
    unlink(mpirun);
    unlink(printed);
    return rmdir(folder);
}

typedef struct {
    const char *mpirun, *path;
    char *arguments[8];
} called;

static void become(void *c) {
    const called *how = c;
    if (how->path)
        setenv("PATH", how->path, 1);
    become_launcher(how->mpirun, 3, how->arguments);
}

static void expect_printed(const char *expected) {
    char got[300] = "";
    FILE *file = fopen(printed, "r");
    assert_non_null(file);
    assert_true(fread(got, 1, sizeof got - 1, file) > 0);
    fclose(file);
    assert_string_equal(got, expected);
}

/* Found through PATH, with every argument as it was; its status is the program's. */
static void the_same_arguments_are_started_again(void **state) {
    (void)state;
    int status;
    called c = {
        "stand_in", folder, {"my bin/darknet", "train", "a  b.cfg", "", "-gpus", "0,1", "*"}};
    char *said = expect_fail_said(become, &c, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_string_equal(said,
                        "Starting 3 ranks: stand_in -np 3 --bind-to none my bin/darknet, with "
                        "the same arguments\n");
    expect_printed(
        "<-np><3><--bind-to><none><my bin/darknet><train><a  b.cfg><><-gpus><0,1><*><3>");
    free(said);
}

static void a_launcher_that_is_not_there_is_named(void **state) {
    (void)state;
    int status;
    called c = {"stand_in", "/nowhere", {"darknet", "train"}};
    char *said = expect_fail_said(become, &c, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(said,
                           "\ndarknet: stand_in, which is to start 3 ranks, cannot be run: No "
                           "such file or directory\n"));
    free(said);
}

static void no_argument_begins_another_program(void **state) {
    (void)state;
    called c = {mpirun, NULL, {"darknet", "train", "-backup", ":"}};
    expect_fail(become, &c, "after an argument that is : alone");
}

/* Whatever the launcher is, and however few it has started. */
static void what_was_started_starts_nothing(void **state) {
    (void)state;
    const char *signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "SLURM_STEP_NUM_TASKS",
                           "DLB_RANKS"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        int status;
        called c = {mpirun, NULL, {"darknet", "train"}};
        setenv(signs[i], "1", 1);
        char *said = expect_fail_said(become, &c, &status);
        assert_string_equal(said, "nothing failed\n");
        free(said);
        forget_launcher();
        unsetenv(signs[i]);
    }
}

static void refuse(void *why) {
    refuse_to_be_one_of_many(why);
}

/* As if the launcher were another MPI's: its copies of the program do not find each other. */
static void a_copy_that_is_alone_is_refused(void **state) {
    (void)state;
    setenv("DLB_RANKS", "2", 1);
    expect_fail(refuse, "so it is", "DLB_RANKS=2: a launcher has started so many processes");
    forget_launcher();
    assert_null(getenv("DLB_RANKS"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_arguments_are_started_again),
        cmocka_unit_test(a_launcher_that_is_not_there_is_named),
        cmocka_unit_test(no_argument_begins_another_program),
        cmocka_unit_test(what_was_started_starts_nothing),
        cmocka_unit_test(a_copy_that_is_alone_is_refused),
    };
    return cmocka_run_group_tests_name("launcher", tests, make_stand_in, remove_stand_in);
}
