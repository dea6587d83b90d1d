#define _GNU_SOURCE /* memfd_create */

#include "ranks.h"

#include "fail.h"
#include "launcher.h"
#include "ranks_mpi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    ABORT_SECONDS = 5,        /* the most that MPI may take to end the job */
    MOST_OF_A_CALL = 1 << 30, /* bytes or numbers, which MPI counts in ints */
    FIRST_DELAY_MS = 1000,    /* rank 0 says first what all of them find */
    DELAY_OF_A_RANK_MS = 100, /* then one after the other */
    MOST_DELAY_MS = 3000,
    SHOWN_BYTES = 2000 /* of what was set aside */
};

static struct {
    int number, count, timeout;
    bool begun, joined;
    MPI_Comm small; /* what is said between the steps of a training */
    char host[MPI_MAX_PROCESSOR_NAME];
    int real_output, real_error; /* -1 while they are in use */
    int aside;                   /* the file that takes what is not shown */
} ranks = {
    .count = 1, .timeout = RANK_TIMEOUT_SECONDS, .real_output = -1, .real_error = -1, .aside = -1};

int rank_number(void) {
    return ranks.number;
}

int rank_count(void) {
    return ranks.count;
}

void set_rank_timeout(int seconds) {
    ranks.timeout = seconds;
}

/* ---- output ---- */

static void set_aside(void) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fflush(NULL);
    ranks.aside = memfd_create("darknet", MFD_CLOEXEC);
    ranks.real_output = dup(STDOUT_FILENO);
    ranks.real_error = dup(STDERR_FILENO);
    if (nowhere < 0 || ranks.aside < 0 || ranks.real_output < 0 || ranks.real_error < 0 ||
        dup2(nowhere, STDOUT_FILENO) < 0 || dup2(ranks.aside, STDERR_FILENO) < 0)
        fail("cannot set the output of this rank aside: %s", strerror(errno));
    close(nowhere);
}

static void show_again(void) {
    if (ranks.real_error < 0)
        return;
    fflush(NULL);
    dup2(ranks.real_error, STDERR_FILENO);
    dup2(ranks.real_output, STDOUT_FILENO);
    close(ranks.real_error);
    close(ranks.real_output);
    close(ranks.aside);
    ranks.real_output = ranks.real_error = ranks.aside = -1;
}

void hide_rank_output(bool hides) {
    bool hidden = ranks.real_error >= 0;
    if (ranks.count == 1 || ranks.number != 0 || hides == hidden)
        return;
    if (hides)
        set_aside();
    else
        show_again();
}

/* ---- the end of a rank ---- */

static void sleep_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* The launcher ends the ranks by SIGTERM, which a training has caught until here. */
static void let_launcher_end_this(void) {
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
}

/* Where all ranks find the same, the first one ends the others before they have said it too. */
static void wait_for_the_first(void) {
    long ms = FIRST_DELAY_MS + (long)DELAY_OF_A_RANK_MS * ranks.number;
    let_launcher_end_this();
    if (ranks.number > 0)
        sleep_ms(ms < MOST_DELAY_MS ? ms : MOST_DELAY_MS);
}

static const char *introduce_rank(void) {
    static char text[MPI_MAX_PROCESSOR_NAME + 64];
    wait_for_the_first();
    show_again();
    snprintf(text, sizeof text, "rank %d of %d on %s: ", ranks.number, ranks.count, ranks.host);
    return text;
}

/* MPI_Abort, but for a limited time. */
static void end_all_ranks(void) {
    signal(SIGALRM, SIG_DFL);
    alarm(ABORT_SECONDS);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
}

/* The last line of what was set aside, into `words`, (SHOWN_BYTES + 1). */
static const char *find_last_words(char *words) {
    off_t end = lseek(ranks.aside, 0, SEEK_END);
    ssize_t got = pread(ranks.aside, words, SHOWN_BYTES, end > SHOWN_BYTES ? end - SHOWN_BYTES : 0);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length > 0 && words[length - 1] == '\n')
        length--;
    words[length] = '\0';
    const char *line = strrchr(words, '\n');
    return line ? line + 1 : words;
}

/* The host ends by exit(), after it has said why; where that was set aside it is shown. */
static void end_at_exit(void) {
    if (!ranks.joined)
        return;
    fflush(NULL);
    wait_for_the_first();
    if (ranks.real_error >= 0) { /* ranks but the first, or that one while its output is hidden */
        char words[SHOWN_BYTES + 1];
        const char *line = find_last_words(words);
        show_again();
        fprintf(stderr, "darknet: rank %d of %d on %s ends: %s\n", ranks.number, ranks.count,
                ranks.host, line);
    }
    end_all_ranks();
}

_Noreturn void await_failure_of(int failing) {
    let_launcher_end_this();
    sleep_ms(MOST_DELAY_MS + ABORT_SECONDS * 1000L);
    fail("rank %d has failed, but has not said why", failing);
}

/* ---- the job ---- */

void check_mpi(int status, const char *what) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (status == MPI_SUCCESS)
        return;
    MPI_Error_string(status, text, &length);
    fail("MPI: %s: %s", what, text);
}

/* A process that no launcher has started needs no MPI, and does not pay for it. */
static void be_alone(void) {
    refuse_to_be_one_of_many("mpirun must be that of the MPI that the program is built with, srun "
                             "may need --mpi=pmix");
}

MPI_Comm open_rank_channel(void) {
    MPI_Comm comm;
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "a channel of its own");
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    return comm;
}

void ranks_begin(void) {
    int threads, length;
    if (ranks.begun)
        return;
    ranks.begun = true;
    if (!is_launched()) {
        be_alone();
        return;
    }
    check_mpi(MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &threads), "start");
    /* Also what happens to calls on channels of their own is reported there. */
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (threads < MPI_THREAD_MULTIPLE)
        fail(
            "this MPI is built without MPI_THREAD_MULTIPLE, which the end of a rank needs, because "
            "any of its threads may fail");
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.number);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.count);
    MPI_Get_processor_name(ranks.host, &length);
    if (ranks.count == 1) { /* not every way out of the program would finalize */
        MPI_Finalize();
        be_alone();
        return;
    }
    ranks.joined = true;
    ranks.small = open_rank_channel();
    open_sum_channels();
    fail_as_rank(introduce_rank, end_all_ranks);
    if (ranks.number > 0)
        set_aside();
    if (atexit(end_at_exit))
        fail("cannot register what is to be done at exit");
}

void ranks_of_host(int *number, int *count) {
    MPI_Comm here;
    *number = 0;
    *count = 1;
    if (ranks.count == 1)
        return;
    check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, ranks.number, MPI_INFO_NULL,
                                  &here),
              "the ranks of a host");
    MPI_Comm_rank(here, number);
    MPI_Comm_size(here, count);
    MPI_Comm_free(&here);
}

void ranks_end(void) {
    if (!ranks.joined)
        return;
    ranks.joined = false;
    fail_as_rank(NULL, NULL);
    MPI_Finalize();
    ranks.number = 0;
    ranks.count = 1;
}

/* ---- waiting ---- */

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Gives way to other threads, because there may be more ranks than processors. */
void rank_wait_until(bool (*is_done)(void *context), void *context, const char *what) {
    double limit = seconds_now() + ranks.timeout;
    while (!is_done(context)) {
        if (seconds_now() > limit)
            fail("the other ranks have not answered for %d seconds (%s); the connection may be "
                 "lost, or -rank_timeout too small",
                 ranks.timeout, what);
        sched_yield();
    }
}

typedef struct {
    MPI_Request *request;
    const char *what;
} awaited_request;

static bool has_arrived(void *context) {
    const awaited_request *awaited = context;
    int done = 0;
    check_mpi(MPI_Test(awaited->request, &done, MPI_STATUS_IGNORE), awaited->what);
    return done;
}

static void wait_for(MPI_Request *request, const char *what) {
    awaited_request awaited = {request, what};
    rank_wait_until(has_arrived, &awaited, what);
}

/* ---- all ranks together ---- */

static void reduce(void *values, size_t count, MPI_Datatype type, MPI_Op how, const char *what) {
    MPI_Request request;
    if (ranks.count == 1)
        return;
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, type, how, ranks.small, &request),
              what);
    wait_for(&request, what);
    // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): wait_for() tests until it is done
}

void ranks_sum(double *values, size_t count) {
    for (size_t at = 0; at < count; at += MOST_OF_A_CALL)
        reduce(values + at, count - at < MOST_OF_A_CALL ? count - at : MOST_OF_A_CALL, MPI_DOUBLE,
               MPI_SUM, "a sum");
}

void ranks_max(int *values, size_t count) {
    reduce(values, count, MPI_INT, MPI_MAX, "an agreement");
}

void ranks_any(bool *flags, size_t count) {
    reduce(flags, count, MPI_C_BOOL, MPI_LOR, "flags");
}

void ranks_broadcast_from(int from, void *bytes, size_t size) {
    char *at = bytes;
    if (ranks.count == 1)
        return;
    for (size_t left = size; left > 0;) {
        MPI_Request request;
        int part = left < MOST_OF_A_CALL ? (int)left : MOST_OF_A_CALL;
        check_mpi(MPI_Ibcast(at, part, MPI_BYTE, from, ranks.small, &request), "a broadcast");
        wait_for(&request, "a broadcast");
        // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): as above
        at += part;
        left -= (size_t)part;
    }
}

void ranks_broadcast(void *bytes, size_t size) {
    ranks_broadcast_from(0, bytes, size);
}

void ranks_gather(const void *own, void *all, size_t size) {
    MPI_Request request;
    if (ranks.count == 1) {
        memcpy(all, own, size);
        return;
    }
    if (size > INT_MAX)
        fail("%zu bytes of one rank are too many to be gathered", size);
    check_mpi(
        MPI_Igather(own, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, 0, ranks.small, &request),
        "a gathering");
    wait_for(&request, "a gathering");
    // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): as above
}
