/* The log of one training, read back: its validations, and how fast it went. */
#ifndef DLB_RUN_LOG_H
#define DLB_RUN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_LOG_HEADER                                                                             \
    "iteration,images,epoch,rate,ce,lb,total,load_s,step_s,valid_top1,valid_topk,valid_ce"

/* What the log says as text, copied from it. */
enum { ITERATION_TEXT, IMAGES_TEXT, EPOCH_TEXT, TOP1_TEXT, TOPK_TEXT, CE_TEXT, VALIDATION_TEXTS };

typedef struct {
    char *texts[VALIDATION_TEXTS]; /* owned */
    double images;                 /* processed so far */
    double top1, topk;             /* fractions, 0..1 */
    double ce;                     /* of the validation list; NAN where the log has none */
    double train_ce; /* mean over the iterations since the validation before, this one included */
    double train_lb; /* the same over those that have an LB */
    bool has_lb;     /* whether any of them has one */
} validation;

/* Release it with free_run_log(). */
typedef struct {
    uint64_t images;          /* processed by the whole run */
    double images_per_second; /* median over the iterations, waiting for the loader included */
    double step_seconds;      /* median over the iterations: forward, backward and update */
    size_t count;             /* at least 1 */
    validation *validations;  /* (count), by iteration */
} run_log;

/* Reads the log of a run that has finished. Fails, with the file's name and the line, where it
 * cannot be read, a row is malformed or cut, iterations or images do not grow, or where it holds
 * no validation. */
run_log read_run_log(const char *path);

void free_run_log(run_log *log);

#endif
