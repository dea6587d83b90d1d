#include "staged_rows.h"

static bool are_same(const row_block *a, const row_block *b) {
    return a->inputs == b->inputs && a->truths == b->truths && a->input_count == b->input_count &&
           a->truth_count == b->truth_count;
}

static bool has(const staged_rows *staged, const row_block *rows) {
    return staged->has_rows && are_same(&staged->rows, rows);
}

void send_rows(staged_rows *staged, const row_block *rows) {
    if (has(staged, rows))
        return;
    staged->carrier.send(staged->carrier.context, rows);
    staged->rows = *rows;
    staged->rows.drawn = NULL;
    staged->has_rows = true;
}

bool take_rows(staged_rows *staged, const row_block *rows) {
    if (!has(staged, rows))
        return false;
    staged->carrier.take(staged->carrier.context, rows);
    staged->has_rows = false;
    return true;
}

void settle_rows(staged_rows *staged, bool forget) {
    staged->carrier.wait(staged->carrier.context);
    if (forget)
        staged->has_rows = false;
}
