#include "run_log.h"

#include <math.h>
#include <stdlib.h>

#include "csv_table.h"
#include "fail.h"
#include "parse_number.h"
#include "statistics.h"

enum { ITERATION, IMAGES, EPOCH, RATE, CE, LB, TOTAL, LOAD_S, STEP_S, TOP1, TOPK, VALID_CE };

static const int TEXT_COLUMNS[VALIDATION_TEXTS] = {
    [ITERATION_TEXT] = ITERATION, [IMAGES_TEXT] = IMAGES, [EPOCH_TEXT] = EPOCH,
    [TOP1_TEXT] = TOP1,           [TOPK_TEXT] = TOPK,     [CE_TEXT] = VALID_CE,
};

static const char *const NAMES[] = {"iteration", "images",     "epoch",      "rate",
                                    "ce",        "lb",         "total",      "load_s",
                                    "step_s",    "valid_top1", "valid_topk", "valid_ce"};

/* Sums since the last validation. */
typedef struct {
    double ce, lb;
    size_t ces, lbs;
} training_sums;

static bool is_empty(const csv_table *table, size_t row, int column) {
    return *csv_field(table, row, (size_t)column) == '\0';
}

__attribute__((noreturn)) static void fail_field(const csv_table *table, size_t row, int column,
                                                 const char *expected) {
    fail("%s, line %zu: %s is \"%s\", but must be %s", table->path, table->lines[row],
         NAMES[column], csv_field(table, row, (size_t)column), expected);
}

/* The number in a column that counts up. */
static uint64_t read_growing(const csv_table *table, size_t row, int column) {
    uint64_t value, before = 0;
    if (!parse_whole(csv_field(table, row, (size_t)column), &value))
        fail_field(table, row, column, "a whole number");
    if (row > 0 && parse_whole(csv_field(table, row - 1, (size_t)column), &before) &&
        value <= before)
        fail_field(table, row, column, "larger than in the row before");
    return value;
}

/* nan and inf are what a training that diverges logs. */
static double read_loss(const csv_table *table, size_t row, int column) {
    double value;
    if (!parse_real(csv_field(table, row, (size_t)column), &value))
        fail_field(table, row, column, "a number");
    return value;
}

static double read_seconds(const csv_table *table, size_t row, int column) {
    double value = read_loss(table, row, column);
    if (!isfinite(value) || value < 0)
        fail_field(table, row, column, "a number of at least 0");
    return value;
}

static double read_share(const csv_table *table, size_t row, int column) {
    double value = read_loss(table, row, column);
    if (!(value >= 0 && value <= 1))
        fail_field(table, row, column, "a number from 0 to 1");
    return value;
}

static void add_validation(run_log *log, const csv_table *table, size_t row,
                           const training_sums *sums) {
    validation *v = &log->validations[log->count++];
    for (int t = 0; t < VALIDATION_TEXTS; t++)
        v->texts[t] = format_string("%s", csv_field(table, row, (size_t)TEXT_COLUMNS[t]));
    v->images = (double)log->images;
    v->top1 = read_share(table, row, TOP1);
    v->topk = read_share(table, row, TOPK);
    v->ce = is_empty(table, row, VALID_CE) ? NAN : read_loss(table, row, VALID_CE);
    v->train_ce = sums->ce / (double)sums->ces;
    v->has_lb = sums->lbs > 0;
    v->train_lb = v->has_lb ? sums->lb / (double)sums->lbs : NAN;
}

static bool is_validated(const csv_table *table, size_t row) {
    bool validated = !is_empty(table, row, TOP1);
    /* A network that ends in no plain softmax has no valid_ce. */
    if (validated == is_empty(table, row, TOPK) || (!validated && !is_empty(table, row, VALID_CE)))
        fail("%s, line %zu: of valid_top1, valid_topk and valid_ce some are empty and some are not",
             table->path, table->lines[row]);
    return validated;
}

static void add_losses(training_sums *sums, const csv_table *table, size_t row) {
    sums->ce += read_loss(table, row, CE);
    sums->ces++;
    if (is_empty(table, row, LB))
        return;
    sums->lb += read_loss(table, row, LB);
    sums->lbs++;
}

static size_t count_validations(const csv_table *table) {
    size_t count = 0;
    for (size_t row = 0; row < table->rows; row++)
        count += is_validated(table, row);
    return count;
}

static void read_validations(run_log *log, const csv_table *table) {
    training_sums sums = {0};
    log->validations = allocate(count_validations(table), sizeof *log->validations);
    for (size_t row = 0; row < table->rows; row++) {
        read_growing(table, row, ITERATION);
        log->images = read_growing(table, row, IMAGES);
        read_loss(table, row, EPOCH);
        read_loss(table, row, RATE);
        read_loss(table, row, TOTAL);
        add_losses(&sums, table, row);
        if (!is_validated(table, row))
            continue;
        add_validation(log, table, row, &sums);
        sums = (training_sums){0};
    }
    if (log->count == 0)
        fail("%s holds no validation, but the run has finished", table->path);
}

/* The first row counts too: a run starts with no images. */
static void read_speed(run_log *log, const csv_table *table) {
    double *steps = allocate(table->rows, sizeof *steps);
    double *speeds = allocate(table->rows, sizeof *speeds);
    size_t speed_count = 0;
    uint64_t before = 0;
    for (size_t row = 0; row < table->rows; row++) {
        steps[row] = read_seconds(table, row, STEP_S);
        double seconds = steps[row] + read_seconds(table, row, LOAD_S);
        uint64_t images = read_growing(table, row, IMAGES);
        if (seconds > 0)
            speeds[speed_count++] = (double)(images - before) / seconds;
        before = images;
    }
    log->step_seconds = median(steps, table->rows);
    log->images_per_second = median(speeds, speed_count);
    free(steps);
    free(speeds);
}

run_log read_run_log(const char *path) {
    run_log log = {0};
    csv_table table = read_csv(path, RUN_LOG_HEADER);
    read_validations(&log, &table);
    read_speed(&log, &table);
    free_csv(&table);
    return log;
}

void free_run_log(run_log *log) {
    for (size_t i = 0; i < log->count; i++)
        for (int t = 0; t < VALIDATION_TEXTS; t++)
            free(log->validations[i].texts[t]);
    free(log->validations);
    *log = (run_log){0};
}
