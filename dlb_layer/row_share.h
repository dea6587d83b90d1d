/* Which rows of a micro-batch a rank has. Every micro-batch is shared out evenly.
 *
 * Without halves rank r has a contiguous part of the rows. With them it has the same part of both
 * halves, first of the one and then of the other: the rows that it revisits are then those that
 * were its own new ones an iteration ago. */
#ifndef ROW_SHARE_H
#define ROW_SHARE_H

#include <stdbool.h>

typedef struct {
    int ranks, rank;
    int rows; /* of a micro-batch, those of all ranks; a multiple of ranks, of 2 * ranks with
                 halves */
    bool halves;
} row_share;

/* All rows on one rank. */
row_share whole_share(int rows);

/* How many rows of a micro-batch the rank has. */
int count_own_rows(const row_share *share);

/* The number among all rows of the rank's row `own`. */
int row_among_all(const row_share *share, int own);

/* The number among the rank's own rows of row `row` of all; -1 where another rank has it. */
int row_among_own(const row_share *share, int row);

/* Whether so many ranks can share out a batch. */
bool can_share_batch(int batch, int subdivisions, int ranks, bool halves);

/* The batch nearest to `batch` that they can, the smaller one of two. */
int nearest_shared_batch(int batch, int subdivisions, int ranks, bool halves);

#endif
