/* The ring keeps each slot's rows under their ids until the slot is stored again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "logit_ring.h"

enum { SLOTS = 3, ROWS = 4, CLASSES = 5 };

/* Row logits that say which slot, id and class they belong to. */
static void store(logit_ring *ring, int slot, int64_t first_id) {
    float logits[ROWS * CLASSES];
    int64_t ids[ROWS];
    for (int row = 0; row < ROWS; row++) {
        ids[row] = first_id + row;
        for (int k = 0; k < CLASSES; k++)
            logits[row * CLASSES + k] = (float)(1000 * slot + 10 * ids[row] + k);
    }
    logit_ring_store(ring, slot, logits, ids);
}

static void expect_row(const logit_ring *ring, int slot, int expected_row, int64_t id) {
    const float *row = logit_ring_find(ring, slot, expected_row, id);
    assert_non_null(row);
    for (int k = 0; k < CLASSES; k++)
        assert_true(row[k] == (float)(1000 * slot + 10 * id + k));
}

static void a_new_ring_is_empty(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(SLOTS, ROWS, CLASSES);
    for (int slot = 0; slot < SLOTS; slot++)
        for (int row = 0; row < ROWS; row++)
            assert_null(logit_ring_find(ring, slot, row, row));
    logit_ring_free(ring);
}

static void rows_are_found_by_id_wherever_they_stand(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(SLOTS, ROWS, CLASSES);
    store(ring, 1, 20);
    for (int row = 0; row < ROWS; row++)
        for (int id = 20; id < 20 + ROWS; id++)
            expect_row(ring, 1, row, id);
    assert_null(logit_ring_find(ring, 1, 0, 19));
    assert_null(logit_ring_find(ring, 1, 0, 24));
    logit_ring_free(ring);
}

static void slots_are_apart(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(SLOTS, ROWS, CLASSES);
    for (int slot = 0; slot < SLOTS; slot++)
        store(ring, slot, 10 * slot);
    for (int slot = 0; slot < SLOTS; slot++)
        for (int id = 0; id < 10 * SLOTS; id++)
            if (id / 10 == slot && id % 10 < ROWS)
                expect_row(ring, slot, id % 10, id);
            else
                assert_null(logit_ring_find(ring, slot, 0, id));
    logit_ring_free(ring);
}

static void storing_forgets_the_iteration_before(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(SLOTS, ROWS, CLASSES);
    store(ring, 2, 0);
    store(ring, 2, 100);
    assert_null(logit_ring_find(ring, 2, 0, 0));
    expect_row(ring, 2, 0, 100);
    logit_ring_free(ring);
}

/* In order, the first of two equal ids belongs to the first row and the second to the second. */
static void equal_ids_are_told_apart_by_the_expected_row(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(1, 2, 1);
    float logits[] = {1, 2};
    int64_t ids[] = {7, 7};
    logit_ring_store(ring, 0, logits, ids);
    assert_true(*logit_ring_find(ring, 0, 0, 7) == 1);
    assert_true(*logit_ring_find(ring, 0, 1, 7) == 2);
    logit_ring_free(ring);
}

static void its_memory_is_logits_and_ids(void **state) {
    (void)state;
    logit_ring *ring = logit_ring_create(2, 3, 5);
    assert_int_equal(logit_ring_bytes(ring), 2 * 3 * (5 * 4 + 8));
    logit_ring_free(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_ring_is_empty),
        cmocka_unit_test(rows_are_found_by_id_wherever_they_stand),
        cmocka_unit_test(slots_are_apart),
        cmocka_unit_test(storing_forgets_the_iteration_before),
        cmocka_unit_test(equal_ids_are_told_apart_by_the_expected_row),
        cmocka_unit_test(its_memory_is_logits_and_ids),
    };
    return cmocka_run_group_tests_name("logit_ring", tests, NULL, NULL);
}
