/* What the files that call MPI share. For ranks that have joined a job. */
#ifndef RANKS_MPI_H
#define RANKS_MPI_H

#include <mpi.h>

/* Ends the program with MPI's own words where `status` is an error; `what` names the call. */
void check_mpi(int status, const char *what);

/* A channel whose messages do not mix with those of others, and whose errors are returned. Called
 * by all ranks at once. */
MPI_Comm open_rank_channel(void);

/* Those of the sums in the background, for ranks_begin(). */
void open_sum_channels(void);

#endif
