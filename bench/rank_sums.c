/* Seconds of sums over ranks, as gradients are added up, for bench/scaling.py.
 *
 *     mpirun -np RANKS rank_sums REPEATS
 *
 * Rank 0 prints `sum FLOATS SECONDS`, the median over REPEATS sums, for arrays of 1 KiB to 16 MiB.
 * Needs a build with MPI=1. */
#include "fail.h"
#include "ranks.h"
#include "timed_steps.h"

#include <stdio.h>
#include <stdlib.h>

enum { FEWEST_FLOATS = 1 << 8, MOST_FLOATS = 1 << 22, GROWTH = 4 };

/* All ranks begin together. */
static double time_sum(float *values, size_t count) {
    double together = 0;
    ranks_sum(&together, 1);
    double start = what_time_is_it_now();
#ifdef DLB_MPI
    rank_sum *sum = rank_sum_start(values, count, false);
    rank_sums_wait(&sum, 1);
#else
    (void)values, (void)count;
#endif
    return what_time_is_it_now() - start;
}

int main(int argc, char **argv) {
    int repeats = argc == 2 ? atoi(argv[1]) : 0;
    if (repeats < 1)
        fail("usage: mpirun -np RANKS rank_sums REPEATS");
    ranks_begin();
    if (rank_count() < 2)
        fail("sums need several ranks: a build with MPI=1, started by mpirun");
    float *values = allocate(MOST_FLOATS, sizeof *values);
    double *seconds = allocate((size_t)repeats, sizeof *seconds);
    for (size_t count = FEWEST_FLOATS; count <= MOST_FLOATS; count *= GROWTH) {
        time_sum(values, count); /* warms up */
        for (int i = 0; i < repeats; i++)
            seconds[i] = time_sum(values, count);
        printf("sum %zu %.9f\n", count, quantile(seconds, repeats, .5));
    }
    fflush(stdout);
    free(values);
    free(seconds);
    ranks_end();
    return 0;
}
