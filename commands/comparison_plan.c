#include "comparison_plan.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "darknet.h"
#include "fail.h"
#include "folders.h"
#include "option_list.h"
#include "parse_number.h"
#include "report_charts.h"
#include "train_list.h"
#include "whole_file.h"

/* ---- the data ---- */

static const char *data_value(const char *data_file, list *options, char *key) {
    const char *value = option_find(options, key);
    if (!value)
        fail("%s has no line %s=", data_file, key);
    return value;
}

/* Adds the list's lines to the checksum, so that another list of the same length is noticed. */
static uint64_t count_images(const char *list_file, uint64_t *crc) {
    int lines, images = 0;
    char **paths = read_lines(list_file, &lines);
    for (int i = 0; i < lines; i++) {
        images += *paths[i] != '\0';
        *crc = crc32_z(*crc, (const unsigned char *)paths[i], strlen(paths[i]) + 1);
        free(paths[i]);
    }
    free(paths);
    if (!images)
        fail("%s names no image", list_file);
    return (uint64_t)images;
}

static void add_data(const char *data_file, comparison *about) {
    about->data = realpath(data_file, NULL);
    if (!about->data)
        fail("cannot read %s: %s", data_file, strerror(errno));
    list *options = read_data_cfg(about->data);
    about->topk = (uint64_t)option_find_int_quiet(options, "top", 1);
    about->train_images =
        count_images(data_value(data_file, options, "train"), &about->lists_crc32);
    about->valid_images =
        count_images(data_value(data_file, options, "valid"), &about->lists_crc32);
    free_list_contents(options);
    free_list(options);
}

/* ---- the seeds ---- */

static void add_seeds(const char *text, comparison *about) {
    enum { MOST_SEEDS = 10000 };
    uint64_t number;
    if (!strchr(text, ',')) {
        if (!parse_whole(text, &number) || number < 1 || number > MOST_SEEDS)
            fail("-seeds %s: a number of seeds from 1 to %d or a list like 1,2,3 is needed", text,
                 MOST_SEEDS);
        about->seed_count = (size_t)number;
        about->seeds = allocate(number, sizeof *about->seeds);
        for (uint64_t i = 0; i < number; i++)
            about->seeds[i] = i + 1;
        return;
    }
    char *copy = format_string("%s", text), *rest = copy, *one;
    about->seeds = allocate(strlen(text), sizeof *about->seeds);
    while ((one = strsep(&rest, ","))) {
        if (!*one && !rest && about->seed_count)
            break; /* "7," is a list of one */
        if (!parse_whole(one, &number) || number > UINT_MAX)
            fail("-seeds %s: \"%s\" is not a whole number up to %u", text, one, UINT_MAX);
        for (size_t i = 0; i < about->seed_count; i++)
            if (about->seeds[i] == number)
                fail("-seeds %s names %s twice", text, one);
        about->seeds[about->seed_count++] = number;
    }
    free(copy);
}

/* ---- the arms ---- */

static char *name_of_cfg(const char *path) {
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
    const char *dot = strrchr(start, '.');
    size_t length = dot && dot > start ? (size_t)(dot - start) : strlen(start);
    return format_string("%.*s", (int)length, start);
}

static bool is_dlb(const cfg_text *cfg) {
    return has_section(cfg, "dlb_cost");
}

/* Whether the name can be an arm's and its folder's: no option, and none of the comparison's own
 * files, hidden ones and those that a program may add included. */
static bool can_be_folder(const char *name) {
    static const char *const extensions[] = {".cfg", ".csv", ".txt", ".md", ".tmp"};
    bool good =
        *name && !strchr("-.", *name) && strcmp(name, CHARTS_FOLDER) != 0 && !strpbrk(name, "\n\r");
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
        good = good && strcmp(dot, extensions[i]) != 0;
    return good;
}

/* Takes over the name and the cfg. */
static void add_arm(comparison_plan *plan, char *name, arm_role role, size_t parent, cfg_text cfg) {
    comparison *about = &plan->about;
    for (size_t i = 0; i < about->arm_count; i++)
        if (strcmp(about->arms[i].name, name) == 0)
            fail("two arms would be called %s, %s and %s; rename a cfg", name, plan->cfgs[i].path,
                 cfg.path);
    if (!can_be_folder(name))
        fail("%s: an arm cannot be called \"%s\"; rename the cfg", cfg.path, name);
    plan->cfgs[about->arm_count] = cfg;
    about->arms[about->arm_count++] =
        (comparison_arm){.name = name,
                         .role = role,
                         .parent = parent,
                         .batch = (uint64_t)find_net_number(&cfg, "batch", 1, 1),
                         .subdivisions = (uint64_t)find_net_number(&cfg, "subdivisions", 1, 1),
                         .max_batches = (uint64_t)find_net_number(&cfg, "max_batches", 1, 0),
                         .cfg = format_string("%s.cfg", name)};
    if (!about->arms[about->arm_count - 1].max_batches)
        fail("%s has no max_batches, so its training would not end", cfg.path);
}

static void add_control(comparison_plan *plan, size_t parent) {
    cfg_text cfg = copy_cfg_text(&plan->cfgs[parent]);
    set_cfg_value(&cfg, "dlb_cost", "alpha", "0");
    add_arm(plan, format_string("%s-control", plan->about.arms[parent].name), CONTROL_ARM, parent,
            cfg);
}

/* With its control where it has one. */
static void add_given_arm(comparison_plan *plan, char *name, cfg_text cfg, bool no_control) {
    size_t index = plan->about.arm_count;
    bool wants_control = is_dlb(&cfg) && !no_control;
    add_arm(plan, name, index ? OTHER_ARM : BASELINE_ARM, 0, cfg);
    if (wants_control)
        add_control(plan, index);
}

static void append_dlb_section(cfg_text *cfg, const comparison_request *request) {
    char *alpha = format_string("alpha=%s", request->alpha ? request->alpha : "1");
    char *temperature =
        format_string("temperature=%s", request->temperature ? request->temperature : "3");
    append_cfg_line(cfg, "");
    append_cfg_line(cfg, "[dlb_cost]");
    append_cfg_line(cfg, alpha);
    append_cfg_line(cfg, temperature);
    free(alpha);
    free(temperature);
}

/* The only cfg that is given and its twin, the one with the section last. */
static void add_twins(comparison_plan *plan, const comparison_request *request) {
    const char *path = request->cfg_files[0];
    cfg_text given = read_cfg_text(path), twin = copy_cfg_text(&given);
    char *name = name_of_cfg(path);
    if (is_dlb(&given)) {
        cut_section(&twin, "dlb_cost");
        add_given_arm(plan, format_string("%s-baseline", name), twin, request->no_control);
        add_given_arm(plan, name, given, request->no_control);
    } else {
        append_dlb_section(&twin, request);
        add_given_arm(plan, format_string("%s", name), given, request->no_control);
        add_given_arm(plan, format_string("%s-dlb", name), twin, request->no_control);
        free(name);
    }
}

/* The DLB arms' batch, or that of the first arm where there are none. */
static uint64_t whole_batch(const comparison_plan *plan) {
    for (size_t i = 0; i < plan->about.arm_count; i++)
        if (is_dlb(&plan->cfgs[i]))
            return plan->about.arms[i].batch;
    return plan->about.arms[0].batch;
}

static void set_batch(comparison_plan *plan, size_t arm, uint64_t batch) {
    char *text = format_string("%" PRIu64, batch);
    plan->about.arms[arm].batch = batch;
    set_cfg_value(&plan->cfgs[arm], "net", "batch", text);
    free(text);
}

/* What both protocols start from. */
static void check_same_length(const comparison_plan *plan, size_t arm) {
    const comparison_arm *first = &plan->about.arms[0], *a = &plan->about.arms[arm];
    if (a->batch != first->batch || a->max_batches != first->max_batches)
        fail("%s has batch=%" PRIu64 " and max_batches=%" PRIu64 ", but %s has batch=%" PRIu64
             " and max_batches=%" PRIu64 "; arms with different numbers of images or of updates "
             "cannot be compared",
             plan->cfgs[arm].path, a->batch, a->max_batches, plan->cfgs[0].path, first->batch,
             first->max_batches);
}

/* The paper's code: what has no section trains on the new half only. */
static void halve_batch(comparison_plan *plan, size_t arm) {
    const comparison_arm *a = &plan->about.arms[arm];
    if (a->batch % (2 * a->subdivisions))
        fail("%s: -protocol equal-updates-2n halves batch=%" PRIu64 ", which subdivisions=%" PRIu64
             " does not divide then",
             plan->cfgs[arm].path, a->batch, a->subdivisions);
    set_batch(plan, arm, a->batch / 2);
}

static void add_arms(comparison_plan *plan, const comparison_request *request) {
    size_t most = 4 * request->cfg_count;
    plan->about.arms = allocate(most, sizeof *plan->about.arms);
    plan->cfgs = allocate(most, sizeof *plan->cfgs);
    if (request->cfg_count == 1)
        add_twins(plan, request);
    for (size_t i = 0; request->cfg_count > 1 && i < request->cfg_count; i++)
        add_given_arm(plan, name_of_cfg(request->cfg_files[i]),
                      read_cfg_text(request->cfg_files[i]), request->no_control);
    size_t arms = plan->about.arm_count;
    bool halves = request->protocol == EQUAL_UPDATES_2N;
    /* A baseline that is written for the paper's protocol has half the batch already. */
    for (size_t i = 0; i < arms && halves; i++)
        if (!is_dlb(&plan->cfgs[i]) && 2 * plan->about.arms[i].batch == whole_batch(plan))
            set_batch(plan, i, whole_batch(plan));
    for (size_t i = 0; i < arms; i++)
        check_same_length(plan, i);
    for (size_t i = 0; i < arms && halves; i++)
        if (!is_dlb(&plan->cfgs[i]))
            halve_batch(plan, i);
}

static void check_twin_options(const comparison_request *request) {
    if (!request->alpha && !request->temperature)
        return;
    if (request->cfg_count > 1)
        fail("-alpha and -temperature are for the DLB twin that is made of a single cfg, but %zu "
             "cfgs are given",
             request->cfg_count);
    cfg_text cfg = read_cfg_text(request->cfg_files[0]);
    if (is_dlb(&cfg))
        fail("%s has a [dlb_cost] of its own; -alpha and -temperature are for one that is made",
             cfg.path);
    free_cfg_text(&cfg);
}

comparison_plan make_comparison_plan(const comparison_request *request) {
    comparison_plan plan = {.about = {.version = format_string("%s", DLB_VERSION),
                                      .command = format_string("%s", request->command),
                                      .build = format_string("%s", DLB_BUILD),
                                      .protocol = request->protocol,
                                      .valid_every = request->valid_every}};
    check_twin_options(request);
    add_data(request->data_file, &plan.about);
    add_seeds(request->seeds, &plan.about);
    add_arms(&plan, request);
    return plan;
}

void free_comparison_plan(comparison_plan *plan) {
    for (size_t i = 0; i < plan->about.arm_count; i++)
        free_cfg_text(&plan->cfgs[i]);
    free(plan->cfgs);
    free_comparison(&plan->about);
}

/* ---- the folder ---- */

static char *in_folder(const char *folder, const char *name) {
    return format_string("%s/%s", folder, name);
}

static void write_cfgs(const char *folder, const comparison_plan *plan) {
    for (size_t i = 0; i < plan->about.arm_count; i++) {
        char *path = in_folder(folder, plan->about.arms[i].cfg);
        text_buffer text;
        open_text(&text);
        print_cfg_text(&plan->cfgs[i], text.stream);
        write_whole_file(path, &text);
        free(path);
    }
}

static bool is_empty_folder(const char *folder) {
    bool empty = true;
    DIR *entries = opendir(folder);
    if (!entries)
        fail("cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *e; (e = readdir(entries)) && empty;)
        empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
    closedir(entries);
    return empty;
}

/* The lock is the first file of a comparison, so a folder with others and no lock is none. One that
 * was made before there were locks has comparison.txt. */
static void refuse_other_folder(const char *folder) {
    if (is_empty_folder(folder))
        return;
    char *lock = comparison_lock_path(folder);
    if (access(lock, F_OK) && !is_comparison(folder))
        fail("%s holds files, but no comparison; choose another -out", folder);
    free(lock);
}

static void check_same(const char *folder, const char *what, const char *there, const char *now) {
    if (strcmp(there, now) != 0)
        fail("%s holds another comparison: its %s is \"%s\", but now it is \"%s\"; choose another "
             "-out",
             folder, what, there, now);
}

static void check_same_number(const char *folder, const char *what, uint64_t there, uint64_t now) {
    char *a = format_string("%" PRIu64, there), *b = format_string("%" PRIu64, now);
    check_same(folder, what, a, b);
    free(a);
    free(b);
}

static void check_same_cfg(const char *folder, const char *name, const cfg_text *now) {
    char *path = in_folder(folder, name);
    cfg_text there = read_cfg_text(path);
    int i = 0;
    while (i < there.count && i < now->count && strcmp(there.lines[i], now->lines[i]) == 0)
        i++;
    if (i < there.count || i < now->count)
        fail("%s, line %d, is not what %s would be trained with now; choose another -out", path,
             i + 1, now->path);
    free_cfg_text(&there);
    free(path);
}

static void check_same_plan(const char *folder, const comparison *there,
                            const comparison_plan *plan) {
    const comparison *now = &plan->about;
    check_same(folder, "version", there->version, now->version);
    check_same(folder, "build", there->build, now->build);
    check_same(folder, "data file", there->data, now->data);
    check_same(folder, "protocol", protocol_name(there->protocol), protocol_name(now->protocol));
    check_same_number(folder, "k of top-k", there->topk, now->topk);
    check_same_number(folder, "-valid_every", there->valid_every, now->valid_every);
    check_same_number(folder, "number of training images", there->train_images, now->train_images);
    check_same_number(folder, "number of validation images", there->valid_images,
                      now->valid_images);
    check_same_number(folder, "lists' checksum", there->lists_crc32, now->lists_crc32);
    check_same_number(folder, "number of arms", there->arm_count, now->arm_count);
    for (size_t i = 0; i < now->arm_count; i++) {
        check_same(folder, "arm", there->arms[i].name, now->arms[i].name);
        check_same_cfg(folder, now->arms[i].cfg, &plan->cfgs[i]);
    }
}

static void check_kept_plan(const char *folder, const comparison_plan *plan) {
    comparison there = read_comparison(folder);
    check_same_plan(folder, &there, plan);
    free_comparison(&there);
}

void keep_comparison_plan(const char *folder, const comparison_plan *plan, arms_check *check) {
    make_folder(folder);
    refuse_other_folder(folder);
    int lock = lock_comparison(folder);
    if (is_comparison(folder))
        check_kept_plan(folder, plan);
    else
        write_cfgs(folder, plan);
    char *error = check ? check(folder, &plan->about) : NULL;
    if (error)
        fail("%s", error);
    write_comparison(folder, &plan->about);
    close(lock);
}
