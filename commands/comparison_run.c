#define _GNU_SOURCE /* wait4 */

#include "comparison_run.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint.h"
#include "command_options.h"
#include "darknet.h"
#include "fail.h"
#include "file_lock.h"
#include "folders.h"
#include "launcher.h"
#include "log_tail.h"
#include "own_program.h"
#include "run_seconds.h"
#include "shell_words.h"

static const char OWN_PROGRAM[] = "/proc/self/exe"; /* also where its file has gone */
enum { MOST_WORDS = 24 };

/* The files and the command line of one run; strings are owned. */
typedef struct {
    char *folder, *output, *error, *log, *seconds;
    char *words[MOST_WORDS + 1]; /* of the command, up to a NULL */
    int word_count;
    checkpoint files; /* of the training */
} run_files;

/* ---- the folder ---- */

static char *inside(const char *folder, const char *name) {
    return format_string("%s/%s", folder, name);
}

/* Held until this process and the training have ended. That of a `compare` that was killed finishes
 * an iteration and saves, so that the same command typed again has to wait for it. */
static int lock_run(const char *folder) {
    enum { SECONDS_TO_DIE = 60 };
    char *path = inside(folder, "lock");
    int lock = lock_file(path, SECONDS_TO_DIE, true);
    if (lock < 0)
        fail("%s is being trained by another process", folder);
    free(path);
    return lock;
}

/* All but the lock: what a run has left that was stopped before its first checkpoint. */
static void empty_folder(const char *folder) {
    DIR *entries = opendir(folder);
    if (!entries)
        fail("cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *e; (e = readdir(entries));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "lock"))
            continue;
        char *path = inside(folder, e->d_name);
        if (unlink(path))
            fail("cannot remove %s, which a stopped run has left: %s", path, strerror(errno));
        free(path);
    }
    closedir(entries);
}

/* ---- the command ---- */

static void add_word(run_files *files, char *word) {
    assert(files->word_count < MOST_WORDS);
    files->words[files->word_count++] = word;
}

static void add_option(run_files *files, const char *option, uint64_t value) {
    add_word(files, format_string("%s", option));
    add_word(files, format_string("%" PRIu64, value));
}

static void add_device(run_files *files) {
#ifdef GPU
    if (gpu_index >= 0)
        add_option(files, "-i", (uint64_t)gpu_index);
    else
        add_word(files, format_string("-nogpu"));
#else
    (void)files;
#endif
}

static run_files files_of(const char *folder, const comparison *about, size_t arm, uint64_t seed,
                          int threads) {
    const comparison_arm *a = &about->arms[arm];
    run_files files = {.folder = run_folder(folder, a->name, seed),
                       .log = run_log_path(folder, a->name, seed)};
    char *base = basecfg(a->cfg);
    files.files = checkpoint_of(files.folder, base);
    free(base);
    files.output = inside(files.folder, "train.out");
    files.error = inside(files.folder, "train.err");
    files.seconds = inside(files.folder, "seconds.txt");
    add_word(&files, own_program());
    add_word(&files, format_string("classifier"));
    add_word(&files, format_string("train"));
    add_word(&files, format_string("%s", about->data));
    add_word(&files, inside(folder, a->cfg));
    add_word(&files, format_string("-backup"));
    add_word(&files, format_string("%s", files.folder));
    add_option(&files, "-seed", seed);
    add_option(&files, "-valid_every", about->valid_every);
    add_option(&files, "-save_every", 0);
    add_word(&files, format_string("-resume"));
    if (threads)
        add_option(&files, "-threads", (uint64_t)threads);
    add_device(&files);
    return files;
}

static void free_run_files(run_files *files) {
    for (int i = 0; i < files->word_count; i++)
        free(files->words[i]);
    free_checkpoint(&files->files);
    free(files->folder);
    free(files->output);
    free(files->error);
    free(files->log);
    free(files->seconds);
}

/* ---- the process ---- */

/* Goes on after what the run has printed before it was stopped. */
static int open_output(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0)
        fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

/* In the child: becomes the training. By this very program, even where its file has been replaced
 * meanwhile, so that all runs are trained by the same one. */
static _Noreturn void become_training(const run_files *files, pid_t parent, int output, int error) {
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it saves and ends */
    if (getppid() != parent)          /* it died before the line above */
        _exit(EXIT_FAILURE);
    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(error, STDERR_FILENO) < 0)
        _exit(EXIT_FAILURE);
    forget_launcher(); /* the training is not the rank that this program may be */
    execv(OWN_PROGRAM, files->words);
    dprintf(STDERR_FILENO, "darknet: cannot start %s: %s\n", files->words[0], strerror(errno));
    _exit(EXIT_FAILURE);
}

static pid_t start_training(const run_files *files, int output, int error) {
    signal(SIGCHLD,
           SIG_DFL); /* where whoever started this ignores it, wait4() would know nothing */
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        fail("cannot start a process: %s", strerror(errno));
    if (child == 0)
        become_training(files, parent, output, error);
    return child;
}

/* The exit status, or 128 and the signal as shells have it. */
static int wait_for(pid_t child, const run_files *files, uint64_t last_iteration,
                    struct rusage *usage) {
    int status;
    bool shows = isatty(STDERR_FILENO) && last_iteration;
    struct timespec second = {.tv_sec = 1};
    pid_t ended;
    while ((ended = wait4(child, &status, shows ? WNOHANG : 0, usage)) != child) {
        if (ended < 0 && errno != EINTR)
            fail("cannot wait for a training: %s", strerror(errno));
        if (!shows)
            continue;
        fprintf(stderr, "\r\033[K    iteration %" PRIu64 " of %" PRIu64,
                last_logged_iteration(files->log), last_iteration);
        nanosleep(&second, NULL);
    }
    if (shows)
        fputs("\r\033[K", stderr);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Why a training ended with a status that is not 0, in one line. */
static char *reason_for_end(const char *error_file, int status) {
    static const char prefix[] = "darknet: ";
    char *line = last_line_of(error_file), *reason;
    const char *sentence = strncmp(line, prefix, strlen(prefix)) ? line : line + strlen(prefix);
    if (status > 128)
        reason = format_string("it was ended by signal %d, %s%s%s", status - 128,
                               strsignal(status - 128), *line ? ", after: " : "", sentence);
    else if (*line)
        reason = format_string("%s", sentence);
    else
        reason = format_string("it ended with status %d and without a word", status);
    free(line);
    return reason;
}

static char *time_now(void) {
    char text[sizeof "2026-01-01T00:00:00Z"];
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return format_string("%s", text);
}

static uint64_t loader_threads(int threads) {
    return threads ? (uint64_t)threads : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The training closes its log, but only fsync() sees to it that it outlives this machine's end. */
static void bring_to_disk(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fsync(file))
        fail("cannot bring %s to disk: %s", path, strerror(errno));
    close(file);
}

/* What a run that has finished does not need any more. */
static void remove_leftovers(const run_files *files) {
    const checkpoint *c = &files->files;
    forget_checkpoint(c);
    unlink(c->weights);
    unlink(c->new_weights);
    unlink(files->seconds);
}

static double seconds_of_earlier_processes(const run_files *files) {
    const char *const written[] = {files->output, files->error, files->log};
    return seconds_so_far(files->seconds, written, sizeof written / sizeof *written);
}

/* Trains and writes the record; `earlier` seconds have been spent on the run before. Returns
 * whether the training finished. */
static bool train_and_record(const run_files *files, const char *folder, const comparison_arm *arm,
                             uint64_t seed, int threads, double earlier) {
    int output = open_output(files->output), error = open_output(files->error);
    run_record record = {.command = join_shell_words(files->words),
                         .started = time_now(),
                         .threads = loader_threads(threads)};
    double start = what_time_is_it_now();
    note_start(files->seconds, earlier, start);
    struct rusage usage;
    pid_t child = start_training(files, output, error);
    record.status = (uint64_t)wait_for(child, files, arm->max_batches, &usage);
    record.seconds = earlier + what_time_is_it_now() - start;
    record.peak_memory_kib = (uint64_t)usage.ru_maxrss;
    close(output);
    close(error);
    if (record.status)
        record.error = reason_for_end(files->error, (int)record.status);
    else
        bring_to_disk(files->log);
    write_run_record(folder, arm->name, seed, &record);
    bool finished = record.status == 0;
    if (finished)
        remove_leftovers(files);
    free_run_record(&record);
    return finished;
}

bool train_run(const char *folder, const comparison *about, size_t arm, uint64_t seed,
               int threads) {
    const comparison_arm *a = &about->arms[arm];
    run_files files = files_of(folder, about, arm, seed, threads);
    make_folder(files.folder);
    int lock = lock_run(files.folder);
    bool finished = find_run_state(folder, a->name, seed) == RUN_FINISHED;
    if (!finished) { /* nor by the process that had the lock until now */
        double earlier = seconds_of_earlier_processes(&files);
        if (!has_checkpoint(&files.files))
            empty_folder(files.folder);
        finished = train_and_record(&files, folder, a, seed, threads, earlier);
    }
    close(lock);
    free_run_files(&files);
    return finished;
}

/* A file without a name, gone with its descriptor. */
static int open_nameless(void) {
    int file = memfd_create("check", MFD_CLOEXEC);
    if (file < 0)
        fail("cannot make a file for what a check prints: %s", strerror(errno));
    return file;
}

char *check_run(const char *folder, const comparison *about, size_t arm) {
    run_files files = files_of(folder, about, arm, about->seeds[0], 0);
    add_word(&files, format_string("-check"));
    int output = open_nameless(), error = open_nameless();
    struct rusage usage;
    int status = wait_for(start_training(&files, output, error), &files, 0, &usage);
    char *error_file = format_string("/proc/self/fd/%d", error);
    char *reason = status ? reason_for_end(error_file, status) : NULL;
    free(error_file);
    close(output);
    close(error);
    free_run_files(&files);
    return reason;
}

/* ---- the command ---- */

static const char usage_of_run[] = "usage: darknet dlb run RUNS_FOLDER ARM SEED [-threads N]";

static size_t find_arm(const char *folder, const comparison *about, const char *name) {
    for (size_t i = 0; i < about->arm_count; i++)
        if (strcmp(about->arms[i].name, name) == 0)
            return i;
    fail("%s has no arm \"%s\"", folder, name);
}

void run_run(int argc, char **argv) {
    int threads = take_threads(&argc, argv);
    refuse_options(argc, argv, usage_of_run);
    if (argc != 6)
        fail("%s", usage_of_run);
    const char *folder = argv[3];
    comparison about = read_comparison(folder);
    size_t arm = find_arm(folder, &about, argv[4]);
    uint64_t seed = take_seed(argv[5]);
    if (find_run_state(folder, argv[4], seed) == RUN_FINISHED) {
        printf("%s, seed %" PRIu64 ": finished already\n", argv[4], seed);
    } else if (!train_run(folder, &about, arm, seed, threads)) {
        run_record record = read_run_record(folder, argv[4], seed);
        fail("%s, seed %" PRIu64 ": %s", argv[4], seed, record.error);
    }
    free_comparison(&about);
}
