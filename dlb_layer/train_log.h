/* What a training run leaves and shows: a CSV file with a line for each iteration, the host's
 * line on standard output, a progress line on a terminal. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* One iteration. Losses are means as in docs/method.md. */
typedef struct {
    uint64_t iteration;   /* weight updates so far, this one included */
    uint64_t images;      /* images processed so far; a revisit counts */
    double epoch;         /* images / size of the training list */
    double rate;          /* learning rate of this update */
    double loss;          /* what stock Darknet prints; on standard output only */
    double cross_entropy; /* per image */
    double consistency;   /* LB */
    bool has_consistency; /* whether any row had a teacher */
    double total;         /* cross_entropy + alpha * consistency */
    double load_seconds;  /* spent waiting for the loader */
    double step_seconds;  /* forward, backward and update */
    bool has_validation;  /* whether the validation list was run after this iteration */
    double valid_top1, valid_topk;
    double valid_cross_entropy; /* NAN where the network ends in no softmax */
} iteration_record;

/* Ranks other than 0 have none: write, close and hide_progress accept NULL, and do nothing then. */
typedef struct train_log train_log;

/* A log in `file`: with `append` it goes on after the lines that are there, else it starts anew. A
 * file that is there is only looked at; it changes with the first line written. last_iteration is
 * where the run ends (0: never), images_per_iteration the batch: both for the progress line, which
 * is shown only if standard error is a terminal. Ends the program if the file cannot be written or
 * holds something else than such a log. */
train_log *train_log_open(const char *file, bool append, uint64_t last_iteration,
                          int images_per_iteration);

/* The best valid_top1 of the lines that the log goes on after; -1 where there is none. Ends the
 * program if the file cannot be read. */
double train_log_best_top1(const train_log *log);

/* Writes one line. Returns NULL, or a fresh sentence: the line then waits for the next call. */
char *train_log_write(train_log *log, const iteration_record *record);

/* Sees to it that the lines outlive a crash of the machine; *bytes receives the file's size. Once a
 * line has been written, or where lines were there before. Returns NULL or a fresh sentence. */
char *train_log_to_disk(train_log *log, uint64_t *bytes);

/* Before the log is opened: shortens the file to what it was at a checkpoint. Returns false where
 * it is missing or has fewer bytes; ends the program where it cannot be changed. */
bool train_log_cut(const char *file, uint64_t bytes);

/* Ends the progress line, writes what waits and closes the file. Returns NULL or a fresh sentence.
 */
char *train_log_close(train_log *log);

/* Clears the progress line, so that something else can be printed; train_log_write draws it anew.
 */
void train_log_hide_progress(train_log *log);

#endif
