#include "comparison_files.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv_table.h"
#include "fail.h"
#include "file_lock.h"
#include "key_values.h"
#include "parse_number.h"
#include "whole_file.h"

static const char *const PROTOCOLS[] = {"equal-images", "equal-updates-2n"};
static const char *const ROLES[] = {"baseline", "arm", "control"};
enum { PROTOCOL_COUNT = 2, ROLE_COUNT = 3 };

static const char *const COMPARISON_KEYS[] = {
    "version",      "command",      "data",  "protocol",    "topk",        "seeds",
    "train_images", "valid_images", "build", "valid_every", "lists_crc32",
};
static const char *const FAILED_KEYS[] = {
    "command", "status", "seconds", "peak_memory_kib", "threads", "started", "error",
};
enum { COMPARISON_KEY_COUNT = 11, FAILED_KEY_COUNT = 7, FINISHED_KEY_COUNT = 6 };

const char *protocol_name(comparison_protocol protocol) {
    return PROTOCOLS[protocol];
}

const char *role_name(arm_role role) {
    return ROLES[role];
}

static bool find_word(const char *word, const char *const *words, int count, int *index) {
    for (*index = 0; *index < count; ++*index)
        if (strcmp(word, words[*index]) == 0)
            return true;
    return false;
}

/* ---- paths ---- */

char *comparison_path(const char *folder) {
    return format_string("%s/comparison.txt", folder);
}

char *arms_path(const char *folder) {
    return format_string("%s/arms.csv", folder);
}

char *run_folder(const char *folder, const char *arm, uint64_t seed) {
    return format_string("%s/%s/seed-%" PRIu64, folder, arm, seed);
}

char *run_log_path(const char *folder, const char *arm, uint64_t seed) {
    return format_string("%s/%s/seed-%" PRIu64 "/%.*s.log.csv", folder, arm, seed,
                         (int)strcspn(arm, "."), arm);
}

char *finished_path(const char *folder, const char *arm, uint64_t seed) {
    return format_string("%s/%s/seed-%" PRIu64 "/finished.txt", folder, arm, seed);
}

char *failed_path(const char *folder, const char *arm, uint64_t seed) {
    return format_string("%s/%s/seed-%" PRIu64 "/failed.txt", folder, arm, seed);
}

static bool exists(char *path) {
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

run_state find_run_state(const char *folder, const char *arm, uint64_t seed) {
    if (exists(finished_path(folder, arm, seed)))
        return RUN_FINISHED;
    return exists(failed_path(folder, arm, seed)) ? RUN_FAILED : RUN_MISSING;
}

/* ---- comparison.txt ---- */

static void add_seed(const key_values *file, comparison *about, const char *text) {
    uint64_t seed;
    if (!parse_whole(text, &seed))
        fail("%s: the seed \"%s\" is not a whole number", file->path, text);
    for (size_t i = 0; i < about->seed_count; i++)
        if (about->seeds[i] == seed)
            fail("%s: the seed %s occurs twice", file->path, text);
    about->seeds[about->seed_count++] = seed;
}

static void read_seeds(const key_values *file, comparison *about) {
    char *list = format_string("%s", text_value(file, "seeds")), *rest = list, *seed;
    about->seeds = allocate(strlen(list) + 1, sizeof *about->seeds);
    while ((seed = strsep(&rest, ",")))
        add_seed(file, about, seed);
    free(list);
}

static comparison_protocol read_protocol(const key_values *file) {
    int protocol;
    const char *word = text_value(file, "protocol");
    if (!find_word(word, PROTOCOLS, PROTOCOL_COUNT, &protocol))
        fail("%s: protocol=%s is neither %s nor %s", file->path, word, PROTOCOLS[0], PROTOCOLS[1]);
    return (comparison_protocol)protocol;
}

static void read_about(const char *folder, comparison *about) {
    char *path = comparison_path(folder);
    key_values file = read_key_values(path, COMPARISON_KEYS, COMPARISON_KEY_COUNT);
    about->version = format_string("%s", text_value(&file, "version"));
    about->command = format_string("%s", text_value(&file, "command"));
    about->data = format_string("%s", text_value(&file, "data"));
    about->build = format_string("%s", text_value(&file, "build"));
    about->protocol = read_protocol(&file);
    about->topk = whole_value(&file, "topk", 1);
    about->train_images = whole_value(&file, "train_images", 1);
    about->valid_images = whole_value(&file, "valid_images", 1);
    about->valid_every = whole_value(&file, "valid_every", 1);
    about->lists_crc32 = whole_value(&file, "lists_crc32", 0);
    read_seeds(&file, about);
    free_key_values(&file);
    free(path);
}

/* ---- arms.csv ---- */

enum { ARM, ROLE, PARENT, BATCH, SUBDIVISIONS, MAX_BATCHES, CFG };

static uint64_t read_count(const csv_table *table, size_t row, size_t column, const char *name) {
    uint64_t value;
    const char *text = csv_field(table, row, column);
    if (!parse_whole(text, &value) || value == 0)
        fail("%s, line %zu: %s is \"%s\", which is no whole number of at least 1", table->path,
             table->lines[row], name, text);
    return value;
}

static char *read_name(const csv_table *table, size_t row) {
    const char *name = csv_field(table, row, ARM);
    if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
        fail("%s, line %zu: the arm \"%s\" cannot be the name of a folder", table->path,
             table->lines[row], name);
    for (size_t i = 0; i < row; i++)
        if (strcmp(csv_field(table, i, ARM), name) == 0)
            fail("%s, line %zu: a second arm \"%s\"", table->path, table->lines[row], name);
    return format_string("%s", name);
}

static arm_role read_role(const csv_table *table, size_t row) {
    int role;
    const char *word = csv_field(table, row, ROLE);
    if (!find_word(word, ROLES, ROLE_COUNT, &role))
        fail("%s, line %zu: the role \"%s\" is none of baseline, arm, control", table->path,
             table->lines[row], word);
    return (arm_role)role;
}

static size_t read_parent(const csv_table *table, size_t row, arm_role role) {
    const char *parent = csv_field(table, row, PARENT);
    if (role != CONTROL_ARM && *parent)
        fail("%s, line %zu: a parent, \"%s\", but only a control has one", table->path,
             table->lines[row], parent);
    if (role != CONTROL_ARM)
        return 0;
    for (size_t i = 0; i < table->rows; i++)
        if (i != row && strcmp(csv_field(table, i, ARM), parent) == 0 &&
            read_role(table, i) != CONTROL_ARM)
            return i;
    fail("%s, line %zu: the parent \"%s\" is no other arm", table->path, table->lines[row], parent);
}

static comparison_arm read_arm(const csv_table *table, size_t row) {
    arm_role role = read_role(table, row);
    return (comparison_arm){
        .name = read_name(table, row),
        .role = role,
        .parent = read_parent(table, row, role),
        .batch = read_count(table, row, BATCH, "batch"),
        .subdivisions = read_count(table, row, SUBDIVISIONS, "subdivisions"),
        .max_batches = read_count(table, row, MAX_BATCHES, "max_batches"),
        .cfg = format_string("%s", csv_field(table, row, CFG)),
    };
}

static void read_arms(const char *folder, comparison *about) {
    char *path = arms_path(folder);
    csv_table table = read_csv(path, ARMS_HEADER);
    size_t baselines = 0;
    about->arm_count = table.rows;
    about->arms = allocate(table.rows, sizeof *about->arms);
    for (size_t i = 0; i < table.rows; i++) {
        about->arms[i] = read_arm(&table, i);
        if (about->arms[i].role == BASELINE_ARM) {
            about->baseline = i;
            baselines++;
        }
    }
    if (baselines != 1)
        fail("%s has %zu arms with the role baseline, but a comparison has one", path, baselines);
    free_csv(&table);
    free(path);
}

comparison read_comparison(const char *folder) {
    comparison about = {0};
    read_about(folder, &about);
    read_arms(folder, &about);
    return about;
}

void free_comparison(comparison *about) {
    for (size_t i = 0; i < about->arm_count; i++) {
        free(about->arms[i].name);
        free(about->arms[i].cfg);
    }
    free(about->arms);
    free(about->seeds);
    free(about->version);
    free(about->command);
    free(about->data);
    free(about->build);
    *about = (comparison){0};
}

/* ---- writing both ---- */

bool is_comparison(const char *folder) {
    return exists(comparison_path(folder));
}

char *comparison_lock_path(const char *folder) {
    return format_string("%s/.lock", folder);
}

int lock_comparison(const char *folder) {
    enum { PATIENCE = 60 };
    char *path = comparison_lock_path(folder);
    int lock = lock_file(path, PATIENCE, false);
    if (lock < 0)
        fail("another process is writing to %s", folder);
    free(path);
    return lock;
}

static void write_about(const char *folder, const comparison *about) {
    char *path = comparison_path(folder);
    text_buffer text;
    open_text(&text);
    fprintf(text.stream, "version=%s\ncommand=%s\ndata=%s\nprotocol=%s\ntopk=%" PRIu64 "\nseeds=",
            about->version, about->command, about->data, protocol_name(about->protocol),
            about->topk);
    for (size_t i = 0; i < about->seed_count; i++)
        fprintf(text.stream, "%s%" PRIu64, i ? "," : "", about->seeds[i]);
    fprintf(text.stream,
            "\ntrain_images=%" PRIu64 "\nvalid_images=%" PRIu64 "\nbuild=%s\nvalid_every=%" PRIu64
            "\nlists_crc32=%" PRIu64 "\n",
            about->train_images, about->valid_images, about->build, about->valid_every,
            about->lists_crc32);
    write_whole_file(path, &text);
    free(path);
}

static void write_arm(FILE *out, const comparison *about, const comparison_arm *arm) {
    write_csv_field(out, arm->name);
    fprintf(out, ",%s,", role_name(arm->role));
    if (arm->role == CONTROL_ARM)
        write_csv_field(out, about->arms[arm->parent].name);
    fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", arm->batch, arm->subdivisions,
            arm->max_batches);
    write_csv_field(out, arm->cfg);
    putc('\n', out);
}

void write_comparison(const char *folder, const comparison *about) {
    char *path = arms_path(folder);
    text_buffer text;
    open_text(&text);
    fprintf(text.stream, "%s\n", ARMS_HEADER);
    for (size_t i = 0; i < about->arm_count; i++)
        write_arm(text.stream, about, &about->arms[i]);
    write_whole_file(path, &text);
    free(path);
    write_about(folder, about);
}

/* ---- finished.txt, failed.txt ---- */

void write_run_record(const char *folder, const char *arm, uint64_t seed,
                      const run_record *record) {
    char *path = record->status ? failed_path(folder, arm, seed) : finished_path(folder, arm, seed);
    text_buffer text;
    open_text(&text);
    fprintf(text.stream,
            "command=%s\nstatus=%" PRIu64 "\nseconds=%.3f\npeak_memory_kib=%" PRIu64
            "\nthreads=%" PRIu64 "\nstarted=%s\n",
            record->command, record->status, record->seconds, record->peak_memory_kib,
            record->threads, record->started);
    if (record->status)
        fprintf(text.stream, "error=%s\n", record->error);
    write_whole_file(path, &text);
    free(path);
}

static run_record read_record(const char *path, run_state state) {
    bool failed = state == RUN_FAILED;
    key_values file =
        read_key_values(path, FAILED_KEYS, failed ? FAILED_KEY_COUNT : FINISHED_KEY_COUNT);
    run_record record = {
        .state = state,
        .command = format_string("%s", text_value(&file, "command")),
        .started = format_string("%s", text_value(&file, "started")),
        .error = failed ? format_string("%s", text_value(&file, "error")) : NULL,
        .status = whole_value(&file, "status", 0),
        .threads = whole_value(&file, "threads", 1),
        .peak_memory_kib = whole_value(&file, "peak_memory_kib", 0),
        .seconds = number_value(&file, "seconds"),
    };
    if (failed != (record.status != 0))
        fail("%s says status=%" PRIu64 ", but the run has %s", path, record.status,
             failed ? "failed" : "finished");
    free_key_values(&file);
    return record;
}

run_record read_run_record(const char *folder, const char *arm, uint64_t seed) {
    run_state state = find_run_state(folder, arm, seed);
    if (state == RUN_MISSING)
        return (run_record){.state = RUN_MISSING};
    char *path =
        state == RUN_FINISHED ? finished_path(folder, arm, seed) : failed_path(folder, arm, seed);
    run_record record = read_record(path, state);
    free(path);
    return record;
}

void free_run_record(run_record *record) {
    free(record->command);
    free(record->started);
    free(record->error);
    *record = (run_record){0};
}
