#include "train_log.h"

#include "fail.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HEADER[] = "iteration,images,epoch,rate,ce,lb,total,load_s,step_s,"
                             "valid_top1,valid_topk,valid_ce\n";
enum { VALID_TOP1_COLUMN = 9 };

struct train_log {
    char *name;
    FILE *file; /* NULL until the first line */
    bool appends;
    bool shows_progress;
    uint64_t last_iteration;
    int images_per_iteration;
    double seconds; /* of one iteration, smoothed */
};

static void fail_writing(train_log *log) {
    int error = errno;
    train_log_hide_progress(log);
    fail("cannot write %s: %s", log->name, strerror(error));
}

static void check_written(train_log *log) {
    if (fflush(log->file) || ferror(log->file))
        fail_writing(log);
}

/* Whether `file` holds lines already. An empty one is made if it is missing, which shows that it
 * can be written. Ends the program if it cannot, or if it starts with another header. */
static bool has_header(const char *file) {
    char line[sizeof HEADER] = "";
    FILE *existing = fopen(file, "a+");
    if (!existing)
        fail("cannot write %s: %s", file, strerror(errno));
    bool empty = !fgets(line, sizeof line, existing);
    fclose(existing);
    if (!empty && strcmp(line, HEADER) != 0)
        fail("%s is not a log of this program's: its first line is not %.*s", file,
             (int)sizeof HEADER - 2, HEADER);
    return !empty;
}

train_log *train_log_open(const char *file, bool append, uint64_t last_iteration,
                          int images_per_iteration) {
    train_log *log = allocate(1, sizeof *log);
    log->name = format_string("%s", file);
    log->appends = has_header(file) && append;
    log->shows_progress = isatty(STDERR_FILENO);
    log->last_iteration = last_iteration;
    log->images_per_iteration = images_per_iteration;
    return log;
}

static double top1_of_line(const char *line) {
    for (int comma = 0; comma < VALID_TOP1_COLUMN && line; comma++) {
        line = strchr(line, ',');
        if (line)
            line++;
    }
    double top1 = -1;
    if (line && sscanf(line, "%lf", &top1) != 1)
        return -1;
    return top1;
}

double train_log_best_top1(const train_log *log) {
    double best = -1;
    if (!log->appends)
        return best;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(log->name, "r");
    if (!file)
        fail("cannot read %s: %s", log->name, strerror(errno));
    while (getline(&line, &size, file) > 0)
        best = fmax(best, top1_of_line(line));
    if (ferror(file))
        fail("cannot read %s: %s", log->name, strerror(errno));
    free(line);
    fclose(file);
    return best;
}

static void open_file(train_log *log) {
    log->file = fopen(log->name, log->appends ? "a" : "w");
    if (!log->file)
        fail_writing(log);
    if (!log->appends)
        fputs(HEADER, log->file);
}

static void write_validation(train_log *log, const iteration_record *r) {
    if (!r->has_validation) {
        fputs(",,", log->file);
        return;
    }
    fprintf(log->file, "%.9g,%.9g,", r->valid_top1, r->valid_topk);
    if (!isnan(r->valid_cross_entropy))
        fprintf(log->file, "%.9g", r->valid_cross_entropy);
}

static void write_line(train_log *log, const iteration_record *r) {
    if (!log->file)
        open_file(log);
    fprintf(log->file, "%" PRIu64 ",%" PRIu64 ",%.6f,%.9g,%.9g,", r->iteration, r->images, r->epoch,
            r->rate, r->cross_entropy);
    if (r->has_consistency)
        fprintf(log->file, "%.9g", r->consistency);
    fprintf(log->file, ",%.9g,%.6f,%.6f,", r->total, r->load_seconds, r->step_seconds);
    write_validation(log, r);
    fputc('\n', log->file);
    check_written(log);
}

static void show_progress(train_log *log, const iteration_record *r) {
    double seconds = r->load_seconds + r->step_seconds;
    log->seconds = log->seconds == 0 ? seconds : .9 * log->seconds + .1 * seconds;
    fprintf(stderr, "\r\033[K%" PRIu64, r->iteration);
    if (log->last_iteration)
        fprintf(stderr, " of %" PRIu64, log->last_iteration);
    fprintf(stderr, " iterations, %.0f images/s", log->images_per_iteration / log->seconds);
    if (log->last_iteration > r->iteration) {
        uint64_t left = (uint64_t)((double)(log->last_iteration - r->iteration) * log->seconds);
        fprintf(stderr, ", %" PRIu64 ":%02d:%02d left", left / 3600, (int)(left / 60 % 60),
                (int)(left % 60));
    }
    fflush(stderr);
}

void train_log_write(train_log *log, const iteration_record *record) {
    write_line(log, record);
    if (log->shows_progress)
        show_progress(log, record);
}

void train_log_hide_progress(train_log *log) {
    if (log->shows_progress)
        fputs("\r\033[K", stderr);
}

void train_log_close(train_log *log) {
    train_log_hide_progress(log);
    if (log->file && fclose(log->file))
        fail_writing(log);
    free(log->name);
    free(log);
}
