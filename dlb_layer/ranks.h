/* The processes that train one network together, by MPI. Each of them is a rank.
 *
 * Without MPI=1, or where no launcher such as mpirun has started the program, there is one rank
 * and nothing is sent. All functions are for one thread, and all ranks call those that send in the
 * same order. Where an answer does not come in time, or MPI reports an error, the program ends
 * through fail(). In a job of several ranks that ends all of them, with one message that names
 * the rank. Otherwise rank 0 alone prints. */
#ifndef RANKS_H
#define RANKS_H

#include "launcher.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { RANK_TIMEOUT_SECONDS = 600 };

typedef struct rank_sum rank_sum;

#ifdef DLB_MPI

/* Joins the job that a launcher has started; does nothing where there is none, and the second
 * time. Ends the program where a launcher has started several that do not find each other. */
void ranks_begin(void);

/* Leaves it, once all others do. The program may go on, alone. */
void ranks_end(void);

int rank_number(void);
int rank_count(void);

/* This rank's number among those of its host, and how many these are. Called by all ranks at once.
 */
void ranks_of_host(int *number, int *count);

/* How long to wait for the others; RANK_TIMEOUT_SECONDS at first. */
void set_rank_timeout(int seconds);

/* From here on, or no longer, what the program prints is set aside, and shown only where it ends
 * unexpectedly. For rank 0; that of the others is always set aside. */
void hide_rank_output(bool hides);

/* Each value becomes its sum over the ranks, the same bits on all of them. */
void ranks_sum(double *values, size_t count);

/* Each value becomes the largest of all ranks'; `count` below 2^31, as of ranks_any(). */
void ranks_max(int *values, size_t count);

/* Each flag becomes true where it is on any rank. */
void ranks_any(bool *flags, size_t count);

/* Rank 0's bytes go to all. */
void ranks_broadcast(void *bytes, size_t size);

/* The bytes of rank `from` go to all. */
void ranks_broadcast_from(int from, void *bytes, size_t size);

/* On rank 0 `all`, (ranks, size), gets every rank's own bytes, in the order of the ranks; elsewhere
 * it is not used. */
void ranks_gather(const void *own, void *all, size_t size);

/* Waits for rank `failing`, which is about to say why and end the job. */
_Noreturn void await_failure_of(int failing);

/* Calls is_done(context) until it returns true, and gives way to other threads meanwhile. Ends the
 * program after the seconds of set_rank_timeout(); `what` is then what was waited for. */
void rank_wait_until(bool (*is_done)(void *context), void *context, const char *what);

/* ---- in the background ---- */

/* Begins to add up `values`, in place, over the ranks; they must not be touched until
 * rank_sums_wait(). Which sum is which follows from the order of the calls, in which they are
 * waited for, too. With `pairwise` the ranks, a power of two, are added up in the order of
 * pairwise_sum.h; without it in any order. */
rank_sum *rank_sum_start(float *values, size_t count, bool pairwise);

/* Lets sums that are under way go on; returns whether this one is done. */
bool rank_sum_test(rank_sum *sum);

/* Waits for `count` of them, in the order in which they began, and releases them. */
void rank_sums_wait(rank_sum **sums, int count);

#else

static inline void ranks_begin(void) {
    refuse_to_be_one_of_many("build the program with MPI=1");
}
static inline void ranks_end(void) {}
static inline int rank_number(void) {
    return 0;
}
static inline int rank_count(void) {
    return 1;
}
static inline void ranks_of_host(int *number, int *count) {
    *number = 0;
    *count = 1;
}
static inline void set_rank_timeout(int seconds) {
    (void)seconds;
}
static inline void hide_rank_output(bool hides) {
    (void)hides;
}
static inline void ranks_sum(double *values, size_t count) {
    (void)values, (void)count;
}
static inline void ranks_max(int *values, size_t count) {
    (void)values, (void)count;
}
static inline void ranks_any(bool *flags, size_t count) {
    (void)flags, (void)count;
}
static inline void ranks_broadcast(void *bytes, size_t size) {
    (void)bytes, (void)size;
}
static inline void ranks_broadcast_from(int from, void *bytes, size_t size) {
    (void)from, (void)bytes, (void)size;
}
static inline void ranks_gather(const void *own, void *all, size_t size) {
    memcpy(all, own, size);
}
static inline void await_failure_of(int failing) {
    (void)failing;
}
static inline rank_sum *rank_sum_start(float *values, size_t count, bool pairwise) {
    (void)values, (void)count, (void)pairwise;
    return NULL;
}
static inline bool rank_sum_test(rank_sum *sum) {
    (void)sum;
    return true;
}
static inline void rank_sums_wait(rank_sum **sums, int count) {
    (void)sums, (void)count;
}

#endif

/* The first rank for which `failed` is true, on all ranks; -1: none. */
static inline int first_failed_rank(bool failed) {
    int first = failed ? rank_count() - rank_number() : 0; /* the first rank has the largest */
    ranks_max(&first, 1);
    return first ? rank_count() - first : -1;
}

#endif
