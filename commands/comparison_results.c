#include "comparison_results.h"

#include <math.h>
#include <stdlib.h>

#include "fail.h"

static comparison_run read_run(const char *folder, const char *arm, uint64_t seed) {
    comparison_run run = {.record = read_run_record(folder, arm, seed)};
    if (run.record.state == RUN_FINISHED) {
        char *path = run_log_path(folder, arm, seed);
        run.log = read_run_log(path);
        free(path);
    }
    return run;
}

comparison_results read_comparison_results(const char *folder) {
    comparison_results results = {.about = read_comparison(folder)};
    const comparison *about = &results.about;
    results.runs = allocate(about->arm_count * about->seed_count, sizeof *results.runs);
    for (size_t a = 0; a < about->arm_count; a++)
        for (size_t s = 0; s < about->seed_count; s++) {
            comparison_run run = read_run(folder, about->arms[a].name, about->seeds[s]);
            results.finished += run.record.state == RUN_FINISHED;
            results.runs[a * about->seed_count + s] = run;
        }
    return results;
}

void free_comparison_results(comparison_results *results) {
    for (size_t i = 0; i < results->about.arm_count * results->about.seed_count; i++) {
        free_run_record(&results->runs[i].record);
        free_run_log(&results->runs[i].log);
    }
    free(results->runs);
    free_comparison(&results->about);
}

const comparison_run *run_of(const comparison_results *results, size_t arm, size_t seed) {
    return &results->runs[arm * results->about.seed_count + seed];
}

static double best_top1(const run_log *log) {
    double best = 0;
    for (size_t i = 0; i < log->count; i++)
        best = fmax(best, log->validations[i].top1);
    return best;
}

static double measure_run(const run_log *log, measure what) {
    const validation *last = &log->validations[log->count - 1];
    switch (what) {
    case LAST_TOP1:
        return 100 * last->top1;
    case BEST_TOP1:
        return 100 * best_top1(log);
    case LAST_TOPK:
        return 100 * last->topk;
    case LAST_CE:
        return last->ce;
    case IMAGES_PER_SECOND:
        return log->images_per_second;
    case STEP_SECONDS:
        return log->step_seconds;
    }
    return NAN;
}

static int is_finished(const comparison_results *results, size_t arm, size_t seed) {
    return run_of(results, arm, seed)->record.state == RUN_FINISHED;
}

sample_summary summarise_arm(const comparison_results *results, size_t arm, measure what) {
    double *values = allocate(results->about.seed_count, sizeof *values);
    size_t count = 0;
    for (size_t s = 0; s < results->about.seed_count; s++)
        if (is_finished(results, arm, s))
            values[count++] = measure_run(&run_of(results, arm, s)->log, what);
    sample_summary summary = summarise(values, count);
    free(values);
    return summary;
}

paired_difference compare_arms(const comparison_results *results, size_t arm, size_t other,
                               size_t third, measure what) {
    size_t seeds = results->about.seed_count, pairs = 0;
    double *first = allocate(seeds, sizeof *first), *second = allocate(seeds, sizeof *second);
    for (size_t s = 0; s < seeds; s++) {
        if (!is_finished(results, arm, s) || !is_finished(results, other, s) ||
            !is_finished(results, third, s))
            continue;
        first[pairs] = measure_run(&run_of(results, arm, s)->log, what);
        second[pairs++] = measure_run(&run_of(results, other, s)->log, what);
    }
    paired_difference difference = compare_pairs(first, second, pairs);
    free(first);
    free(second);
    return difference;
}
