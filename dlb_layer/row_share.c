#include "row_share.h"

row_share whole_share(int rows) {
    return (row_share){.ranks = 1, .rows = rows};
}

static int parts(const row_share *s) {
    return s->halves ? 2 : 1;
}

/* Rows of the rank in one part. */
static int own_in_part(const row_share *s) {
    return s->rows / (s->ranks * parts(s));
}

int count_own_rows(const row_share *s) {
    return own_in_part(s) * parts(s);
}

int row_among_all(const row_share *s, int own) {
    int length = own_in_part(s), part = own / length;
    return part * (s->rows / parts(s)) + s->rank * length + own % length;
}

int row_among_own(const row_share *s, int row) {
    int length = own_in_part(s), part_rows = s->rows / parts(s);
    int part = row / part_rows, at = row % part_rows;
    return at / length == s->rank ? part * length + at % length : -1;
}

static int unit_of_batches(int subdivisions, int ranks, bool halves) {
    return subdivisions * ranks * (halves ? 2 : 1);
}

bool can_share_batch(int batch, int subdivisions, int ranks, bool halves) {
    return batch % unit_of_batches(subdivisions, ranks, halves) == 0;
}

int nearest_shared_batch(int batch, int subdivisions, int ranks, bool halves) {
    int unit = unit_of_batches(subdivisions, ranks, halves);
    int below = batch / unit * unit;
    if (below == 0)
        return unit;
    return batch - below <= below + unit - batch ? below : below + unit;
}
