#include "row_share.h"

row_share whole_share(int rows) {
    return (row_share){.shards = 1, .own = 1, .rows = rows};
}

static int parts(const row_share *s) {
    return s->halves ? 2 : 1;
}

/* Rows of a shard in one part. */
static int rows_in_part(const row_share *s) {
    return s->rows / (s->shards * parts(s));
}

int count_shard_rows(const row_share *s) {
    return rows_in_part(s) * parts(s);
}

int count_own_rows(const row_share *s) {
    return count_shard_rows(s) * s->own;
}

int row_among_all(const row_share *s, int own) {
    int length = rows_in_part(s), shard = s->first + own / count_shard_rows(s);
    int at = own % count_shard_rows(s), part = at / length;
    return part * (s->rows / parts(s)) + shard * length + at % length;
}

int row_among_own(const row_share *s, int row) {
    int length = rows_in_part(s), part_rows = s->rows / parts(s);
    int part = row / part_rows, at = row % part_rows, shard = at / length - s->first;
    return shard >= 0 && shard < s->own ? shard * count_shard_rows(s) + part * length + at % length
                                        : -1;
}

static int64_t unit_of_batches(int subdivisions, int shards, bool halves) {
    return (int64_t)subdivisions * shards * (halves ? 2 : 1);
}

bool can_share_batch(int batch, int subdivisions, int shards, bool halves) {
    return batch % unit_of_batches(subdivisions, shards, halves) == 0;
}

int64_t nearest_shared_batch(int batch, int subdivisions, int shards, bool halves) {
    int64_t unit = unit_of_batches(subdivisions, shards, halves);
    int64_t below = batch / unit * unit;
    if (below == 0)
        return unit;
    return batch - below <= below + unit - batch ? below : below + unit;
}
