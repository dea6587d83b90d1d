/* Which rows of a micro-batch a process has. A micro-batch is cut into shards of as many rows, and
 * a process has some that follow each other.
 *
 * Without halves shard s is a contiguous part of the rows. With them it is the same part of both
 * halves, first of the one and then of the other: the rows that it revisits are then those that
 * were its own new ones an iteration ago. Own rows are counted shard by shard. */
#ifndef ROW_SHARE_H
#define ROW_SHARE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int shards;     /* of a micro-batch */
    int first, own; /* the process has `own` of them, from `first` on */
    int rows;       /* of a micro-batch, those of all shards; a multiple of shards, of 2 * shards
                       with halves */
    bool halves;
} row_share;

/* All rows in one shard. */
row_share whole_share(int rows);

/* How many rows a shard has. */
int count_shard_rows(const row_share *share);

/* How many rows of a micro-batch the process has. */
int count_own_rows(const row_share *share);

/* The number among all rows of the process's row `own`. */
int row_among_all(const row_share *share, int own);

/* The number among the process's own rows of row `row` of all; -1 where another one has it. */
int row_among_own(const row_share *share, int row);

/* Whether a batch can be cut into so many shards. */
bool can_share_batch(int batch, int subdivisions, int shards, bool halves);

/* The batch nearest to `batch` that can, the smaller one of two. */
int64_t nearest_shared_batch(int batch, int subdivisions, int shards, bool halves);

#endif
