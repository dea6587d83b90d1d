#include "compare.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_options.h"
#include "comparison_plan.h"
#include "comparison_run.h"
#include "darknet.h"
#include "fail.h"
#include "report.h"
#include "run_log.h"
#include "shell_words.h"

static const char usage[] =
    "usage: darknet dlb compare DATA CFG [CFG...] [-seeds 3] [-out runs/NAME] "
    "[-protocol equal-images|equal-updates-2n] [-no_control] [-alpha A] [-temperature T] "
    "[-valid_every N] [-threads N] [-plan]";

typedef struct {
    comparison_request request;
    int threads;
    char *folder;
    bool only_plan;
} arguments;

/* ---- the command line ---- */

static comparison_protocol parse_protocol(const char *word) {
    for (int p = EQUAL_IMAGES; p <= EQUAL_UPDATES_2N; p++)
        if (strcmp(word, protocol_name((comparison_protocol)p)) == 0)
            return (comparison_protocol)p;
    fail("-protocol %s: it is %s or %s", word, protocol_name(EQUAL_IMAGES),
         protocol_name(EQUAL_UPDATES_2N));
}

static void check_real(const char *option, const char *text) {
    char *end;
    if (text && (strtod(text, &end), end == text || *end))
        fail("%s %s: a number is needed", option, text);
}

/* runs/ and the name of the first cfg. */
static char *default_folder(char *cfg_file) {
    char *base = basecfg(cfg_file), *folder = format_string("runs/%s", base);
    free(base);
    return folder;
}

static arguments parse_arguments(int argc, char **argv) {
    arguments a = {.request = {.command = join_shell_words(argv)}};
    comparison_request *r = &a.request;
    const char *out = take_text(&argc, argv, "-out", NULL);
    r->seeds = take_text(&argc, argv, "-seeds", "3");
    r->protocol = parse_protocol(take_text(&argc, argv, "-protocol", protocol_name(EQUAL_IMAGES)));
    r->no_control = take_flag(&argc, argv, "-no_control");
    r->alpha = take_text(&argc, argv, "-alpha", NULL);
    r->temperature = take_text(&argc, argv, "-temperature", NULL);
    r->valid_every = take_whole(&argc, argv, "-valid_every", 1, INT_MAX, 1);
    a.threads = take_threads(&argc, argv);
    a.only_plan = take_flag(&argc, argv, "-plan");
    refuse_options(argc, argv, usage);
    check_real("-alpha", r->alpha);
    check_real("-temperature", r->temperature);
    if (argc < 5)
        fail("%s", usage);
    r->data_file = argv[3];
    r->cfg_files = argv + 4;
    r->cfg_count = (size_t)argc - 4;
    if (out && (!*out || *out == '-'))
        fail("-out \"%s\": the name of a folder is needed", out);
    a.folder = out ? format_string("%s", out) : default_folder(argv[4]);
    for (size_t end = strlen(a.folder); end > 1 && a.folder[end - 1] == '/'; end--)
        a.folder[end - 1] = '\0';
    return a;
}

/* ---- the runs ---- */

static char *check_arms(const char *folder, const comparison *about) {
    for (size_t arm = 0; arm < about->arm_count; arm++) {
        char *error = check_run(folder, about, arm);
        if (error)
            return format_string("the arm %s cannot be trained: %s", about->arms[arm].name, error);
    }
    return NULL;
}

static char *absolute(const char *path) {
    char *found = realpath(path, NULL);
    if (!found)
        fail("cannot find %s: %s", path, strerror(errno));
    return found;
}

/* A shell command that works from anywhere. The lists may name images relative to this folder. */
static void print_plan_line(const char *folder, const char *arm, uint64_t seed, int threads) {
    char *here = absolute("."), *runs = absolute(folder), *program = absolute("/proc/self/exe");
    char *number = format_string("%" PRIu64, seed);
    char *loaders = format_string("%d", threads);
    char *words[] = {program, "dlb", "run", runs, (char *)arm, number, threads ? "-threads" : NULL,
                     loaders, NULL};
    char *folder_words[] = {"cd", here, NULL};
    char *change = join_shell_words(folder_words), *run = join_shell_words(words);
    printf("%s && %s\n", change, run);
    free(change);
    free(run);
    free(here);
    free(runs);
    free(program);
    free(number);
    free(loaders);
}

static void print_plan(const arguments *a, const comparison *about) {
    for (size_t s = 0; s < about->seed_count; s++)
        for (size_t arm = 0; arm < about->arm_count; arm++)
            if (find_run_state(a->folder, about->arms[arm].name, about->seeds[s]) != RUN_FINISHED)
                print_plan_line(a->folder, about->arms[arm].name, about->seeds[s], a->threads);
    if (fflush(stdout) || ferror(stdout))
        fail("cannot write to standard output: %s", strerror(errno));
}

static void say_result(const char *folder, const char *arm, uint64_t seed) {
    char *path = run_log_path(folder, arm, seed);
    run_log log = read_run_log(path);
    run_record record = read_run_record(folder, arm, seed);
    printf("%.2f %% in %.0f s\n", 100 * log.validations[log.count - 1].top1, record.seconds);
    free_run_record(&record);
    free_run_log(&log);
    free(path);
}

/* Returns whether the run has finished, now or before. */
static bool train_one(const arguments *a, const comparison *about, size_t arm, uint64_t seed) {
    const char *name = about->arms[arm].name;
    if (find_run_state(a->folder, name, seed) == RUN_FINISHED) {
        printf("finished before, ");
        say_result(a->folder, name, seed);
        return true;
    }
    fflush(stdout);
    if (train_run(a->folder, about, arm, seed, a->threads)) {
        say_result(a->folder, name, seed);
        return true;
    }
    run_record record = read_run_record(a->folder, name, seed);
    printf("failed: %s\n", record.error);
    free_run_record(&record);
    return false;
}

/* Seed by seed, so that all arms have some runs early. Returns how many failed. */
static size_t train_all(const arguments *a, const comparison *about) {
    size_t failed = 0, number = 0, runs = about->seed_count * about->arm_count;
    for (size_t s = 0; s < about->seed_count; s++)
        for (size_t arm = 0; arm < about->arm_count; arm++) {
            printf("run %zu of %zu: %s, seed %" PRIu64 ": ", ++number, runs, about->arms[arm].name,
                   about->seeds[s]);
            failed += !train_one(a, about, arm, about->seeds[s]);
            fflush(stdout);
        }
    return failed;
}

void run_compare(int argc, char **argv) {
    arguments a = parse_arguments(argc, argv);
    comparison_plan plan = make_comparison_plan(&a.request);
    keep_comparison_plan(a.folder, &plan, check_arms);
    if (a.only_plan) {
        print_plan(&a, &plan.about);
    } else {
        size_t failed = train_all(&a, &plan.about);
        write_report(a.folder);
        if (failed)
            fail("%zu of %zu runs failed; %s/report.md names them", failed,
                 plan.about.seed_count * plan.about.arm_count, a.folder);
    }
    free_comparison_plan(&plan);
    free(a.folder);
    free((char *)a.request.command);
}
