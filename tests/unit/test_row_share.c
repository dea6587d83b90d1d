/* row_share: every row of all is exactly one process's, in order; revisited rows and new ones go to
 * the same shard; the nearest batch that can be shared out. */
#include "row_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* `ranks` processes have `own` shards each, of `shard` rows. */
static void each_row_has_one_owner(int ranks, int own, int shard, bool halves) {
    int shards = ranks * own, rows = shards * shard;
    for (int row = 0; row < rows; row++) {
        int owners = 0;
        for (int rank = 0; rank < ranks; rank++) {
            row_share s = {shards, rank * own, own, rows, halves};
            int here = row_among_own(&s, row);
            assert_int_equal(count_own_rows(&s), own * shard);
            owners += here >= 0;
            if (here >= 0)
                assert_int_equal(row_among_all(&s, here), row);
        }
        assert_int_equal(owners, 1);
    }
}

static void rows_are_shared_out(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 5; ranks++)
        for (int own = 1; own <= 3; own++)
            for (int shard = 1; shard <= 6; shard++) {
                each_row_has_one_owner(ranks, own, shard, false);
                if (shard % 2 == 0)
                    each_row_has_one_owner(ranks, own, shard, true);
            }
}

static void a_shard_is_the_same_wherever_it_is(void **state) {
    (void)state;
    row_share all = {4, 0, 4, 24, true};
    for (int shard = 0; shard < 4; shard++) {
        row_share alone = {4, shard, 1, 24, true};
        assert_int_equal(count_shard_rows(&alone), 6);
        for (int own = 0; own < 6; own++)
            assert_int_equal(row_among_all(&all, 6 * shard + own), row_among_all(&alone, own));
    }
}

static void without_halves_they_are_contiguous(void **state) {
    (void)state;
    row_share s = {3, 1, 1, 12, false};
    for (int own = 0; own < 4; own++)
        assert_int_equal(row_among_all(&s, own), 4 + own);
}

static void an_image_is_revisited_where_it_was_new(void **state) {
    (void)state;
    row_share s = {3, 2, 1, 12, true};
    const int rows[] = {4, 5, 10, 11};
    for (int own = 0; own < 4; own++)
        assert_int_equal(row_among_all(&s, own), rows[own]);
    for (int own = 0; own < 2; own++)
        assert_int_equal(row_among_all(&s, own) + 12 / 2, row_among_all(&s, own + 2));
}

static void one_rank_has_all(void **state) {
    (void)state;
    row_share s = whole_share(7);
    assert_int_equal(count_own_rows(&s), 7);
    assert_int_equal(row_among_all(&s, 6), 6);
    assert_int_equal(row_among_own(&s, 3), 3);
}

static void the_nearest_batch_is_found(void **state) {
    (void)state;
    assert_true(can_share_batch(24, 2, 3, true));
    assert_false(can_share_batch(18, 2, 3, true));
    assert_true(can_share_batch(18, 2, 3, false));
    assert_int_equal(nearest_shared_batch(128, 1, 3, true), 126);
    assert_int_equal(nearest_shared_batch(131, 1, 3, true), 132);
    assert_int_equal(nearest_shared_batch(129, 1, 3, true), 126); /* of two the smaller one */
    assert_int_equal(nearest_shared_batch(4, 1, 4, true), 8);
    assert_int_equal(nearest_shared_batch(0, 2, 3, false), 6);
    assert_int_equal(nearest_shared_batch(1, 1 << 19, 4096, true), (int64_t)1 << 32);
    assert_false(can_share_batch(1, 1 << 19, 4096, true));
    for (int batch = 0; batch < 200; batch++)
        assert_true(can_share_batch((int)nearest_shared_batch(batch, 2, 5, true), 2, 5, true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_shared_out),
        cmocka_unit_test(a_shard_is_the_same_wherever_it_is),
        cmocka_unit_test(without_halves_they_are_contiguous),
        cmocka_unit_test(an_image_is_revisited_where_it_was_new),
        cmocka_unit_test(one_rank_has_all),
        cmocka_unit_test(the_nearest_batch_is_found),
    };
    return cmocka_run_group_tests_name("row_share", tests, NULL, NULL);
}
