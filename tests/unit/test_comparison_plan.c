/* comparison_plan: the arms made of each kind of request, the seeds, a plan kept and met again, and
 * the sentence for each thing that does not allow a comparison. */
#include "comparison_plan.h"

#include <limits.h>
#include <sys/stat.h>

#include "fail.h"

#include "expect_fail.h"

#define NET "[net]\nbatch=8\nsubdivisions=2\nmax_batches=5\n"
#define BODY "[softmax]\n"
#define DLB "\n[dlb_cost]\nalpha=2\n"

/* All of it happens in a folder of its own, which is the working directory. */
static char folder[] = "/tmp/test_comparison_plan.XXXXXX";

static void put_file(const char *name, const char *text) {
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static int make_files(void **state) {
    (void)state;
    put_file("x.data", "train = t.list\nvalid=v.list\nbackup2=no\ntop=2\n");
    put_file("t.list", "a.png\nb.png\n\nc.png\n");
    put_file("v.list", "a.png\r\n");
    put_file("plain.cfg", NET BODY);
    put_file("dlb.cfg", NET BODY DLB);
    return 0;
}

static int make_folder(void **state) {
    return !mkdtemp(folder) || chdir(folder) ? -1 : make_files(state);
}

static const char *const FILES[] = {
    "x.data",
    "t.list",
    "v.list",
    "plain.cfg",
    "dlb.cfg",
    "two.cfg",
    "r/.lock",
    "r/arms.csv",
    "r/plain.cfg",
    "r/plain-dlb.cfg",
    "r/dlb.cfg",
    "r/plain-dlb-control.cfg",
    "r/new.cfg",
    "r/comparison.txt",
    "r/dlb-baseline.cfg",
    "r/dlb-control.cfg",
};

static int remove_runs(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++)
        if (strncmp(FILES[i], "r/", 2) == 0)
            unlink(FILES[i]);
    rmdir("r");
    return 0;
}

static int remove_folder(void **state) {
    remove_runs(state);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++)
        unlink(FILES[i]);
    return chdir("/") || rmdir(folder);
}

/* ---- requests ---- */

typedef struct {
    comparison_request request;
    char *cfgs[4];
} test_request;

/* Three cfgs at most, up to a NULL. */
static test_request request_of(char *first, char *second, char *third) {
    test_request t = {
        {.data_file = "x.data", .command = "as typed", .seeds = "2", .valid_every = 1},
        {first, second, third}};
    while (t.cfgs[t.request.cfg_count])
        t.request.cfg_count++;
    return t;
}

static comparison_plan plan_of(test_request *t) {
    t->request.cfg_files = t->cfgs;
    return make_comparison_plan(&t->request);
}

static void make_plan(void *t) {
    comparison_plan plan = plan_of(t);
    free_comparison_plan(&plan);
}

static void refuses(test_request t, const char *sentence) {
    expect_fail(make_plan, &t, sentence);
}

/* ---- the arms ---- */

static void arm_is(const comparison_plan *plan, size_t arm, const char *name, arm_role role,
                   uint64_t batch) {
    assert_true(arm < plan->about.arm_count);
    const comparison_arm *a = &plan->about.arms[arm];
    char *cfg = format_string("%s.cfg", name);
    assert_string_equal(a->name, name);
    assert_string_equal(a->cfg, cfg);
    assert_int_equal(a->role, role);
    assert_int_equal(a->batch, batch);
    assert_int_equal(a->subdivisions, 2);
    assert_int_equal(a->max_batches, 5);
    free(cfg);
}

static void cfg_is(const comparison_plan *plan, size_t arm, const char *expected) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print_cfg_text(&plan->cfgs[arm], out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void a_plain_cfg_gets_a_dlb_twin(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.arm_count, 3);
    assert_int_equal(plan.about.baseline, 0);
    arm_is(&plan, 0, "plain", BASELINE_ARM, 8);
    arm_is(&plan, 1, "plain-dlb", OTHER_ARM, 8);
    arm_is(&plan, 2, "plain-dlb-control", CONTROL_ARM, 8);
    assert_int_equal(plan.about.arms[2].parent, 1);
    cfg_is(&plan, 0, NET BODY);
    cfg_is(&plan, 1, NET BODY "\n[dlb_cost]\nalpha=1\ntemperature=3\n");
    cfg_is(&plan, 2, NET BODY "\n[dlb_cost]\nalpha=0\ntemperature=3\n");
    free_comparison_plan(&plan);
}

static void the_twin_has_the_options_that_are_given(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    t.request.alpha = ".5";
    t.request.temperature = "4";
    comparison_plan plan = plan_of(&t);
    cfg_is(&plan, 1, NET BODY "\n[dlb_cost]\nalpha=.5\ntemperature=4\n");
    cfg_is(&plan, 2, NET BODY "\n[dlb_cost]\nalpha=0\ntemperature=4\n");
    free_comparison_plan(&plan);
}

static void a_dlb_cfg_gets_a_plain_baseline(void **state) {
    (void)state;
    test_request t = request_of("./dlb.cfg", NULL, NULL);
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.arm_count, 3);
    arm_is(&plan, 0, "dlb-baseline", BASELINE_ARM, 8);
    arm_is(&plan, 1, "dlb", OTHER_ARM, 8);
    arm_is(&plan, 2, "dlb-control", CONTROL_ARM, 8);
    assert_int_equal(plan.about.arms[2].parent, 1);
    cfg_is(&plan, 0, NET BODY "\n");
    cfg_is(&plan, 1, NET BODY DLB);
    cfg_is(&plan, 2, NET BODY "\n[dlb_cost]\nalpha=0\n");
    free_comparison_plan(&plan);
}

static void several_cfgs_are_taken_as_they_are(void **state) {
    (void)state;
    put_file("two.cfg", "#c\r\n[network]\r\n batch = 8\r\nsubdivisions=2\r\nmax_batches = 5 \r\n"
                        "[softmax]\r\n[dlb_cost]\r\n");
    test_request t = request_of("dlb.cfg", "plain.cfg", "two.cfg");
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.arm_count, 5);
    arm_is(&plan, 0, "dlb", BASELINE_ARM, 8);
    arm_is(&plan, 1, "dlb-control", CONTROL_ARM, 8);
    arm_is(&plan, 2, "plain", OTHER_ARM, 8);
    arm_is(&plan, 3, "two", OTHER_ARM, 8);
    arm_is(&plan, 4, "two-control", CONTROL_ARM, 8);
    assert_int_equal(plan.about.arms[1].parent, 0);
    assert_int_equal(plan.about.arms[4].parent, 3);
    cfg_is(&plan, 4,
           "#c\n[network]\n batch = 8\nsubdivisions=2\nmax_batches = 5 \n[softmax]\n"
           "[dlb_cost]\nalpha=0\n");
    free_comparison_plan(&plan);
}

static void controls_can_be_left_out(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    t.request.no_control = true;
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.arm_count, 2);
    arm_is(&plan, 1, "plain-dlb", OTHER_ARM, 8);
    free_comparison_plan(&plan);
    t = request_of("plain.cfg", "dlb.cfg", NULL);
    t.request.no_control = true;
    plan = plan_of(&t);
    assert_int_equal(plan.about.arm_count, 2);
    arm_is(&plan, 1, "dlb", OTHER_ARM, 8);
    free_comparison_plan(&plan);
}

static void only_arms_without_the_section_are_halved(void **state) {
    (void)state;
    put_file("two.cfg", "[network]\n#batch=3\nbatch = 8\nsubdivisions=2\nmax_batches=5\n");
    test_request t = request_of("plain.cfg", "dlb.cfg", "two.cfg");
    t.request.protocol = EQUAL_UPDATES_2N;
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.protocol, EQUAL_UPDATES_2N);
    assert_int_equal(plan.about.arm_count, 4);
    arm_is(&plan, 0, "plain", BASELINE_ARM, 4);
    arm_is(&plan, 1, "dlb", OTHER_ARM, 8);
    arm_is(&plan, 2, "dlb-control", CONTROL_ARM, 8);
    arm_is(&plan, 3, "two", OTHER_ARM, 4);
    cfg_is(&plan, 0, "[net]\nbatch=4\nsubdivisions=2\nmax_batches=5\n" BODY);
    cfg_is(&plan, 1, NET BODY DLB);
    cfg_is(&plan, 3, "[network]\n#batch=3\nbatch=4\nsubdivisions=2\nmax_batches=5\n");
    free_comparison_plan(&plan);
}

static void a_name_may_have_dots_and_blanks(void **state) {
    (void)state;
    put_file("a b.v1.cfg", NET BODY);
    test_request t = request_of("/proc/self/cwd/a b.v1.cfg", "plain.cfg", NULL);
    comparison_plan plan = plan_of(&t);
    unlink("a b.v1.cfg");
    arm_is(&plan, 0, "a b.v1", BASELINE_ARM, 8);
    char *log = run_log_path("r", plan.about.arms[0].name, 3);
    assert_string_equal(log, "r/a b.v1/seed-3/a b.log.csv"); /* as basecfg() has it */
    free(log);
    free_comparison_plan(&plan);
}

static void the_data_is_counted(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    comparison_plan plan = plan_of(&t);
    char *data = format_string("%s/x.data", folder);
    assert_string_equal(plan.about.data, data);
    assert_string_equal(plan.about.command, "as typed");
    assert_int_equal(plan.about.topk, 2);
    assert_int_equal(plan.about.train_images, 3);
    assert_int_equal(plan.about.valid_images, 1);
    free(data);
    free_comparison_plan(&plan);
}

/* ---- the seeds ---- */

static void seeds_are(const char *text, size_t count, const uint64_t *expected) {
    test_request t = request_of("plain.cfg", NULL, NULL);
    t.request.seeds = text;
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.seed_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(plan.about.seeds[i], expected[i]);
    free_comparison_plan(&plan);
}

static void seeds_are_a_number_or_a_list(void **state) {
    (void)state;
    seeds_are("1", 1, (uint64_t[]){1});
    seeds_are("3", 3, (uint64_t[]){1, 2, 3});
    seeds_are("7,", 1, (uint64_t[]){7});
    seeds_are("9,0,4294967295", 3, (uint64_t[]){9, 0, UINT_MAX});
}

static void refuses_seeds(const char *text, const char *sentence) {
    test_request t = request_of("plain.cfg", NULL, NULL);
    t.request.seeds = text;
    refuses(t, sentence);
}

static void bad_seeds_are_refused(void **state) {
    (void)state;
    static const char needed[] = "a number of seeds from 1 to 10000 or a list like 1,2,3 is needed";
    refuses_seeds("", needed);
    refuses_seeds("0", needed);
    refuses_seeds("10001", needed);
    refuses_seeds("-1", needed);
    refuses_seeds("three", needed);
    refuses_seeds(",", "-seeds ,: \"\" is not a whole number up to 4294967295");
    refuses_seeds("1,,2", "\"\" is not a whole number");
    refuses_seeds("1, 2", "\" 2\" is not a whole number");
    refuses_seeds("1,4294967296", "\"4294967296\" is not a whole number");
    refuses_seeds("1,2,01", "-seeds 1,2,01 names 01 twice");
}

/* ---- refusals of cfgs and data ---- */

static void refuses_cfg(const char *text, const char *sentence) {
    put_file("two.cfg", text);
    refuses(request_of("two.cfg", NULL, NULL), sentence);
}

static void bad_cfgs_are_refused(void **state) {
    (void)state;
    refuses(request_of("none.cfg", NULL, NULL), "cannot read none.cfg");
    refuses_cfg("[softmax]\n", "two.cfg does not start with [net]");
    refuses_cfg("[net]\nbatch=4\n", "two.cfg has no max_batches, so its training would not end");
    refuses_cfg("[net]\nmax_batches=0\n", "two.cfg: max_batches=0 is not a whole number of at");
    refuses_cfg("[net]\nmax_batches=9\nbatch=x\n", "two.cfg: batch=x is not a whole number");
    refuses(request_of("plain.cfg", "./plain.cfg", NULL),
            "two arms would be called plain, plain.cfg and ./plain.cfg; rename a cfg");
}

static void arms_of_unequal_length_are_refused(void **state) {
    (void)state;
    put_file("two.cfg", "[net]\nbatch=8\nsubdivisions=2\nmax_batches=6\n");
    refuses(request_of("plain.cfg", "two.cfg", NULL),
            "two.cfg has batch=8 and max_batches=6, but plain.cfg has batch=8 and max_batches=5");
    put_file("two.cfg", "[net]\nbatch=16\nsubdivisions=2\nmax_batches=5\n");
    refuses(request_of("plain.cfg", "two.cfg", NULL), "two.cfg has batch=16 and max_batches=5");
}

static void a_baseline_of_the_papers_protocol_keeps_its_half_batch(void **state) {
    (void)state;
    put_file("two.cfg", "[net]\nbatch=4\nsubdivisions=2\nmax_batches=5\n");
    test_request t = request_of("two.cfg", "dlb.cfg", NULL);
    t.request.protocol = EQUAL_UPDATES_2N;
    comparison_plan plan = plan_of(&t);
    assert_int_equal(plan.about.arms[0].batch, 4);
    assert_int_equal(plan.about.arms[1].batch, 8);
    assert_int_equal(find_net_number(&plan.cfgs[0], "batch", 1, 1), 4);
    free_comparison_plan(&plan);
    refuses(request_of("two.cfg", "dlb.cfg", NULL), "dlb.cfg has batch=8");
}

static void names_that_cannot_be_folders_are_refused(void **state) {
    (void)state;
    static char *const names[] = {"-seeds.cfg", ".lock.cfg",    "a\rb.cfg",
                                  "charts.cfg", "arms.csv.cfg", "x.cfg.cfg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put_file(names[i], NET BODY);
        refuses(request_of(names[i], NULL, NULL), ": an arm cannot be called \"");
        unlink(names[i]);
    }
}

static void an_odd_batch_is_not_halved(void **state) {
    (void)state;
    put_file("two.cfg", "[net]\nbatch=6\nsubdivisions=2\nmax_batches=5\n");
    test_request t = request_of("two.cfg", NULL, NULL);
    t.request.protocol = EQUAL_UPDATES_2N;
    refuses(t, "two.cfg: -protocol equal-updates-2n halves batch=6, which subdivisions=2 does not");
    put_file("two.cfg", "[net]\nmax_batches=5\n");
    refuses(t, "halves batch=1, which subdivisions=1 does not");
}

static void options_of_a_twin_need_one(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", "dlb.cfg", NULL);
    t.request.alpha = "1";
    refuses(t, "-alpha and -temperature are for the DLB twin that is made of a single cfg, but 2");
    t = request_of("dlb.cfg", NULL, NULL);
    t.request.temperature = "1";
    refuses(t, "dlb.cfg has a [dlb_cost] of its own; -alpha and -temperature are for one that is");
}

static void refuses_data(const char *text, const char *sentence) {
    put_file("x.data", text);
    refuses(request_of("plain.cfg", NULL, NULL), sentence);
}

static void bad_data_is_refused(void **state) {
    (void)state;
    refuses_data("valid=v.list\n", "x.data has no line train=");
    refuses_data("train=t.list\nvalid2=v.list\n", "x.data has no line valid=");
    refuses_data("train=none.list\nvalid=v.list\n", "cannot read none.list");
    put_file("v.list", "\n\r\n");
    refuses_data("train=t.list\nvalid=v.list\n", "v.list names no image");
    unlink("x.data");
    refuses(request_of("plain.cfg", NULL, NULL), "cannot read x.data: No such file");
}

/* ---- the kept plan ---- */

static int checks;

/* An arms_check that looks for what it needs and has nothing against it. */
static char *accept(const char *runs, const comparison *about) {
    for (size_t i = 0; i < about->arm_count; i++) {
        char *cfg = format_string("%s/%s", runs, about->arms[i].cfg);
        assert_int_equal(access(cfg, R_OK), 0);
        free(cfg);
    }
    checks++;
    return NULL;
}

static char *refuse(const char *runs, const comparison *about) {
    (void)about;
    return format_string("the arms of %s are no good", runs);
}

static void keep(test_request t, arms_check *check) {
    comparison_plan plan = plan_of(&t);
    keep_comparison_plan("r", &plan, check);
    free_comparison_plan(&plan);
}

static void keep_it(void *t) {
    keep(*(test_request *)t, accept);
}

static void keep_it_refused(void *t) {
    keep(*(test_request *)t, refuse);
}

static void refuses_to_keep(test_request t, const char *sentence) {
    expect_fail(keep_it, &t, sentence);
}

static void a_kept_plan_is_read_back(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    comparison_plan plan = plan_of(&t);
    checks = 0;
    keep_comparison_plan("r", &plan, accept);
    assert_int_equal(checks, 1);
    comparison there = read_comparison("r");
    assert_string_equal(there.version, plan.about.version);
    assert_string_equal(there.command, "as typed");
    assert_string_equal(there.data, plan.about.data);
    assert_int_equal(there.seed_count, 2);
    assert_int_equal(there.arm_count, 3);
    assert_string_equal(there.arms[2].name, "plain-dlb-control");
    assert_int_equal(there.arms[2].parent, 1);
    cfg_text cfg = read_cfg_text("r/plain-dlb-control.cfg");
    assert_int_equal(cfg.count, plan.cfgs[2].count);
    for (int i = 0; i < cfg.count; i++)
        assert_string_equal(cfg.lines[i], plan.cfgs[2].lines[i]);
    free_cfg_text(&cfg);
    free_comparison(&there);
    free_comparison_plan(&plan);
}

static void the_same_plan_may_come_again(void **state) {
    (void)state;
    keep(request_of("plain.cfg", NULL, NULL), accept);
    keep(request_of("./plain.cfg", NULL, NULL), accept);
    test_request t = request_of("plain.cfg", NULL, NULL);
    t.request.seeds = "5,6,7";
    t.request.command = "typed anew";
    keep(t, NULL);
    comparison there = read_comparison("r");
    assert_int_equal(there.seed_count, 3);
    assert_int_equal(there.seeds[0], 5);
    assert_string_equal(there.command, "typed anew");
    free_comparison(&there);
}

static void another_plan_is_refused(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    keep(t, accept);
    t.request.protocol = EQUAL_UPDATES_2N;
    refuses_to_keep(t,
                    "r holds another comparison: its protocol is \"equal-images\", but now it is "
                    "\"equal-updates-2n\"; choose another -out");
    t = request_of("plain.cfg", NULL, NULL);
    t.request.valid_every = 3;
    refuses_to_keep(t, "its -valid_every is \"1\", but now it is \"3\"");
    t = request_of("plain.cfg", NULL, NULL);
    t.request.no_control = true;
    refuses_to_keep(t, "its number of arms is \"3\", but now it is \"2\"");
    t = request_of("plain.cfg", NULL, NULL);
    t.request.alpha = "2";
    refuses_to_keep(t, "r/plain-dlb.cfg, line 8, is not what plain.cfg would be trained with now");
    refuses_to_keep(request_of("dlb.cfg", NULL, NULL), "its arm is \"plain\", but now it is \"dlb");
    t = request_of("plain.cfg", NULL, NULL);
    put_file("plain.cfg", NET BODY "\n");
    refuses_to_keep(t, "r/plain.cfg, line 6, is not what plain.cfg");
    put_file("plain.cfg", NET BODY);
    t.request.data_file = "two.data";
    put_file("two.data", "train=t.list\nvalid=v.list\n");
    refuses_to_keep(t, "its data file is \"");
    unlink("two.data");
    comparison there = read_comparison("r");
    assert_int_equal(there.arm_count, 3); /* and all of it has stayed as it was */
    assert_int_equal(there.protocol, EQUAL_IMAGES);
    free_comparison(&there);
}

static void other_data_is_refused(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    keep(t, accept);
    put_file("t.list", "a.png\n");
    refuses_to_keep(t, "its number of training images is \"3\", but now it is \"1\"");
    make_files(NULL);
    put_file("v.list", "a.png\nb.png\n");
    refuses_to_keep(t, "its number of validation images is \"1\", but now it is \"2\"");
    make_files(NULL);
    put_file("x.data", "train=t.list\nvalid=v.list\n");
    refuses_to_keep(t, "its k of top-k is \"2\", but now it is \"1\"");
}

static void another_program_is_refused(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    comparison_plan plan = plan_of(&t);
    char *version = plan.about.version, *build = plan.about.build;
    plan.about.version = "0.0.0";
    keep_comparison_plan("r", &plan, NULL);
    refuses_to_keep(t, "r holds another comparison: its version is \"0.0.0\", but now it is \"");
    plan.about.version = version;
    plan.about.build = "none such";
    unlink("r/comparison.txt");
    keep_comparison_plan("r", &plan, NULL);
    refuses_to_keep(t, "its build is \"none such\", but now it is \"");
    plan.about.build = build;
    free_comparison_plan(&plan);
}

static void a_refused_cfg_can_be_put_right(void **state) {
    (void)state;
    test_request t = request_of("plain.cfg", NULL, NULL);
    expect_fail(keep_it_refused, &t, "the arms of r are no good");
    assert_false(is_comparison("r"));
    put_file("plain.cfg", NET "[conv]\n" BODY);
    keep(t, accept);
    cfg_text cfg = read_cfg_text("r/plain.cfg");
    assert_true(has_section(&cfg, "conv"));
    free_cfg_text(&cfg);
    comparison there = read_comparison("r");
    free_comparison(&there);
}

static void a_plan_that_was_stopped_is_written_anew(void **state) {
    (void)state;
    mkdir("r", 0777);
    put_file("r/.lock", "");
    put_file("r/plain.cfg", "[n");
    put_file("r/arms.csv", "arm,ro");
    keep(request_of("plain.cfg", NULL, NULL), accept);
    comparison there = read_comparison("r");
    assert_int_equal(there.arm_count, 3);
    free_comparison(&there);
}

static void an_empty_folder_may_be_there(void **state) {
    (void)state;
    mkdir("r", 0777);
    keep(request_of("plain.cfg", NULL, NULL), accept);
    assert_true(is_comparison("r"));
}

static void another_folder_is_refused(void **state) {
    (void)state;
    mkdir("r", 0777);
    put_file("r/new.cfg", "mine");
    refuses_to_keep(request_of("plain.cfg", NULL, NULL),
                    "r holds files, but no comparison; choose another -out");
    assert_int_equal(access("r/.lock", F_OK), -1);
    unlink("r/new.cfg");
    rmdir("r");
    put_file("r", "a file");
    refuses_to_keep(request_of("plain.cfg", NULL, NULL), "cannot make the folder r: File exists");
    unlink("r");
}

/* Several processes at once on a folder that none of them has made: one sets it up, and the others
 * find that it is the same. */
static void several_may_set_up_one_folder(void **state) {
    (void)state;
    enum { PROCESSES = 8 };
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            keep(request_of("plain.cfg", NULL, NULL), accept);
            _exit(0);
        }
    }
    for (int i = 0, status; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    keep(request_of("plain.cfg", NULL, NULL), accept);
}

/* ---- all of them ---- */

#define WITH_FILES(test) cmocka_unit_test_setup(test, make_files)
#define WITH_RUNS(test) cmocka_unit_test_setup_teardown(test, make_files, remove_runs)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILES(a_plain_cfg_gets_a_dlb_twin),
        WITH_FILES(the_twin_has_the_options_that_are_given),
        WITH_FILES(a_dlb_cfg_gets_a_plain_baseline),
        WITH_FILES(several_cfgs_are_taken_as_they_are),
        WITH_FILES(controls_can_be_left_out),
        WITH_FILES(only_arms_without_the_section_are_halved),
        WITH_FILES(a_name_may_have_dots_and_blanks),
        WITH_FILES(the_data_is_counted),
        WITH_FILES(seeds_are_a_number_or_a_list),
        WITH_FILES(bad_seeds_are_refused),
        WITH_FILES(bad_cfgs_are_refused),
        WITH_FILES(arms_of_unequal_length_are_refused),
        WITH_FILES(a_baseline_of_the_papers_protocol_keeps_its_half_batch),
        WITH_FILES(names_that_cannot_be_folders_are_refused),
        WITH_FILES(an_odd_batch_is_not_halved),
        WITH_FILES(options_of_a_twin_need_one),
        WITH_FILES(bad_data_is_refused),
        WITH_RUNS(a_kept_plan_is_read_back),
        WITH_RUNS(the_same_plan_may_come_again),
        WITH_RUNS(another_plan_is_refused),
        WITH_RUNS(other_data_is_refused),
        WITH_RUNS(another_program_is_refused),
        WITH_RUNS(a_refused_cfg_can_be_put_right),
        WITH_RUNS(a_plan_that_was_stopped_is_written_anew),
        WITH_RUNS(an_empty_folder_may_be_there),
        WITH_RUNS(another_folder_is_refused),
        WITH_RUNS(several_may_set_up_one_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
