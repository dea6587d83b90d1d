/* All runs of a comparison in memory, and the figures that the report draws from them. */
#ifndef DLB_COMPARISON_RESULTS_H
#define DLB_COMPARISON_RESULTS_H

#include <stddef.h>

#include "comparison_files.h"
#include "run_log.h"
#include "statistics.h"

typedef struct {
    run_record record;
    run_log log; /* empty unless finished */
} comparison_run;

/* Owned; release it with free_comparison_results(). */
typedef struct {
    comparison about;
    comparison_run *runs; /* (arms, seeds), row-major */
    size_t finished;      /* how many of them are */
} comparison_results;

/* One number of a finished run. */
typedef enum {
    LAST_TOP1, /* percent */
    BEST_TOP1, /* percent */
    LAST_TOPK, /* percent */
    LAST_CE,
    IMAGES_PER_SECOND,
    STEP_SECONDS
} measure;

/* Reads the folder of a comparison. Fails as the readers of its files do. */
comparison_results read_comparison_results(const char *folder);
void free_comparison_results(comparison_results *results);

/* The run of an arm and a seed, by their indices. */
const comparison_run *run_of(const comparison_results *results, size_t arm, size_t seed);

/* A measure over the arm's finished runs. */
sample_summary summarise_arm(const comparison_results *results, size_t arm, measure what);

/* `arm` minus `other`, over the seeds whose runs are finished in both and also in `third`. */
paired_difference compare_arms(const comparison_results *results, size_t arm, size_t other,
                               size_t third, measure what);

#endif
