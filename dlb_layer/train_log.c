#include "train_log.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char HEADER[] = "iteration,images,epoch,rate,ce,lb,total,load_s,step_s,"
                             "valid_top1,valid_topk,valid_ce\n";
enum { VALID_TOP1_COLUMN = 9 };

struct train_log {
    char *name;
    int file; /* -1 until the first line */
    bool appends;
    bool has_header; /* in the file or waiting */
    char *waiting;   /* what could not be written yet */
    size_t waiting_bytes;
    bool shows_progress;
    uint64_t last_iteration;
    int images_per_iteration;
    double seconds; /* of one iteration, smoothed */
};

/* Whether it is what a process that was killed in the midst of the header has left. */
static bool is_cut_header(const char *line) {
    size_t length = strlen(line);
    return length < sizeof HEADER - 1 && !strncmp(line, HEADER, length);
}

/* Whether `file` holds lines already. An empty one is made if it is missing, which shows that it
 * can be written. Ends the program if it cannot, or if it starts with another header. */
static bool has_header(const char *file) {
    char line[sizeof HEADER] = "";
    FILE *existing = fopen(file, "a+");
    if (!existing)
        fail("cannot write %s: %s", file, strerror(errno));
    bool empty = !fgets(line, sizeof line, existing) || is_cut_header(line);
    bool failed = empty && ftruncate(fileno(existing), 0);
    fclose(existing);
    if (failed)
        fail("cannot write %s: %s", file, strerror(errno));
    if (!empty && strcmp(line, HEADER) != 0)
        fail("%s is not a log of this program's: its first line is not %.*s", file,
             (int)sizeof HEADER - 2, HEADER);
    return !empty;
}

train_log *train_log_open(const char *file, bool append, uint64_t last_iteration,
                          int images_per_iteration) {
    train_log *log = allocate(1, sizeof *log);
    log->name = format_string("%s", file);
    log->file = -1;
    log->appends = has_header(file) && append;
    log->has_header = log->appends;
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

/* ---- writing ---- */

static void add_text(train_log *log, const char *text, size_t size) {
    char *longer = realloc(log->waiting, log->waiting_bytes + size);
    if (!longer)
        fail("out of memory for lines of %s", log->name);
    memcpy(longer + log->waiting_bytes, text, size);
    log->waiting = longer;
    log->waiting_bytes += size;
}

static void drop_written(train_log *log, size_t size) {
    log->waiting_bytes -= size;
    memmove(log->waiting, log->waiting + size, log->waiting_bytes);
}

static bool open_file(train_log *log) {
    if (log->file < 0)
        log->file =
            open(log->name,
                 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (log->appends ? 0 : O_TRUNC), 0666);
    return log->file >= 0;
}

/* Returns NULL, or a fresh sentence; what could not be written waits for the next try. */
static char *write_waiting(train_log *log) {
    int error = open_file(log) ? 0 : errno;
    while (log->waiting_bytes && !error) {
        ssize_t written = write(log->file, log->waiting, log->waiting_bytes);
        if (written > 0)
            drop_written(log, (size_t)written);
        else if (written == 0 || errno != EINTR)
            error = written ? errno : EIO;
    }
    return error ? format_string("cannot write %s: %s", log->name, strerror(error)) : NULL;
}

static void print_validation(FILE *line, const iteration_record *r) {
    if (!r->has_validation) {
        fputs(",,", line);
        return;
    }
    fprintf(line, "%.9g,%.9g,", r->valid_top1, r->valid_topk);
    if (!isnan(r->valid_cross_entropy))
        fprintf(line, "%.9g", r->valid_cross_entropy);
}

static void print_record(FILE *line, const iteration_record *r) {
    fprintf(line, "%" PRIu64 ",%" PRIu64 ",%.6f,%.9g,%.9g,", r->iteration, r->images, r->epoch,
            r->rate, r->cross_entropy);
    if (r->has_consistency)
        fprintf(line, "%.9g", r->consistency);
    fprintf(line, ",%.9g,%.6f,%.6f,", r->total, r->load_seconds, r->step_seconds);
    print_validation(line, r);
    fputc('\n', line);
}

static void add_line(train_log *log, const iteration_record *r) {
    char *text;
    size_t size;
    FILE *line = open_memstream(&text, &size);
    if (!line)
        fail("out of memory for a line of %s", log->name);
    print_record(line, r);
    if (fclose(line))
        fail("out of memory for a line of %s", log->name);
    if (!log->has_header)
        add_text(log, HEADER, sizeof HEADER - 1);
    log->has_header = true;
    add_text(log, text, size);
    free(text);
}

char *train_log_to_disk(train_log *log, uint64_t *bytes) {
    struct stat about;
    char *error = write_waiting(log);
    if (error)
        return error;
    if (fsync(log->file) || fstat(log->file, &about))
        return format_string("cannot write %s: %s", log->name, strerror(errno));
    *bytes = (uint64_t)about.st_size;
    return NULL;
}

bool train_log_cut(const char *file, uint64_t bytes) {
    struct stat about;
    if (stat(file, &about) || (uint64_t)about.st_size < bytes)
        return false;
    if (truncate(file, (off_t)bytes))
        fail("cannot shorten %s to the lines before the checkpoint: %s", file, strerror(errno));
    return true;
}

/* ---- the terminal ---- */

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

char *train_log_write(train_log *log, const iteration_record *record) {
    if (!log)
        return NULL;
    add_line(log, record);
    char *error = write_waiting(log);
    if (log->shows_progress)
        show_progress(log, record);
    return error;
}

void train_log_hide_progress(train_log *log) {
    if (log && log->shows_progress)
        fputs("\r\033[K", stderr);
}

char *train_log_close(train_log *log) {
    if (!log)
        return NULL;
    train_log_hide_progress(log);
    char *error = log->waiting_bytes ? write_waiting(log) : NULL;
    if (log->file >= 0 && close(log->file) && !error)
        error = format_string("cannot write %s: %s", log->name, strerror(errno));
    free(log->waiting);
    free(log->name);
    free(log);
    return error;
}
