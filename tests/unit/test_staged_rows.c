/* Rows that are sent to a device ahead of their step, with a device that copies as late as it may:
 * when it is waited for, or when the rows are needed. What is overwritten too early shows. */
#include "staged_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { INPUTS = 6, TRUTHS = 2, SLOTS = 3, ITERATIONS = 9 };

typedef struct {
    row_block under_way; /* inputs NULL: nothing */
    float waiting_inputs[INPUTS], waiting_truths[TRUTHS];
    float inputs[INPUTS], truths[TRUTHS]; /* the network's */
    int sent, taken, waits;
} lazy_device;

static void arrive(lazy_device *device) {
    const row_block *rows = &device->under_way;
    if (!rows->inputs)
        return;
    memcpy(device->waiting_inputs, rows->inputs, rows->input_count * sizeof(float));
    memcpy(device->waiting_truths, rows->truths, rows->truth_count * sizeof(float));
    device->under_way.inputs = NULL;
}

static void send(void *context, const row_block *rows) {
    lazy_device *device = context;
    arrive(device);
    device->under_way = *rows;
    device->sent++;
}

static void take(void *context, const row_block *rows) {
    lazy_device *device = context;
    arrive(device);
    memcpy(device->inputs, device->waiting_inputs, rows->input_count * sizeof(float));
    memcpy(device->truths, device->waiting_truths, rows->truth_count * sizeof(float));
    device->taken++;
}

static void wait(void *context) {
    lazy_device *device = context;
    arrive(device);
    device->waits++;
}

static staged_rows staged_for(lazy_device *device) {
    memset(device, 0, sizeof *device);
    return (staged_rows){.carrier = {device, send, take, wait}};
}

static float memory[2][SLOTS][INPUTS + TRUTHS]; /* an iteration's rows, and the next one's */

static row_block rows_at(int buffer, int slot) {
    return (row_block){memory[buffer][slot], memory[buffer][slot] + INPUTS, INPUTS, TRUTHS};
}

static float number_of(int iteration, int slot, int i) {
    return (float)(100 * iteration + 10 * slot + i);
}

static void write_iteration(int iteration) {
    for (int slot = 0; slot < SLOTS; slot++)
        for (int i = 0; i < INPUTS + TRUTHS; i++)
            memory[iteration % 2][slot][i] = number_of(iteration, slot, i);
}

static void expect_in_network(const lazy_device *device, int iteration, int slot) {
    for (int i = 0; i < INPUTS; i++)
        assert_true(device->inputs[i] == number_of(iteration, slot, i));
    for (int i = 0; i < TRUTHS; i++)
        assert_true(device->truths[i] == number_of(iteration, slot, INPUTS + i));
}

/* As a training does it: the next iteration's rows are ready in every second iteration only, and
 * what was trained on is overwritten as soon as that is allowed. */
static void a_training_gets_its_rows(void **state) {
    (void)state;
    lazy_device device;
    staged_rows staged = staged_for(&device);
    write_iteration(0);
    for (int n = 0; n < ITERATIONS; n++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            row_block now = rows_at(n % 2, slot), next = rows_at(n % 2, (slot + 1) % SLOTS);
            send_rows(&staged, &now);
            assert_true(take_rows(&staged, &now));
            expect_in_network(&device, n, slot);
            if (slot + 1 < SLOTS)
                send_rows(&staged, &next);
        }
        row_block first = rows_at((n + 1) % 2, 0);
        if (n % 2)
            write_iteration(n + 1);
        if (n % 2)
            send_rows(&staged, &first);
        settle_rows(&staged, false);
        memset(memory[n % 2], 0xff, sizeof memory[0]);
        if (n % 2 == 0)
            write_iteration(n + 1);
    }
    assert_int_equal(device.taken, ITERATIONS * SLOTS);
    assert_int_equal(device.sent, ITERATIONS * SLOTS); /* once each */
}

static void nothing_is_taken_that_was_not_sent(void **state) {
    (void)state;
    lazy_device device;
    staged_rows staged = staged_for(&device);
    row_block rows = rows_at(0, 0);
    assert_false(take_rows(&staged, &rows));
    send_rows(&staged, &rows);
    assert_true(take_rows(&staged, &rows));
    assert_false(take_rows(&staged, &rows)); /* once */
    assert_int_equal(device.taken, 1);
}

/* A validation between: it asks for rows of its own, which nobody sent. */
static void other_rows_leave_what_was_sent(void **state) {
    (void)state;
    lazy_device device;
    staged_rows staged = staged_for(&device);
    write_iteration(0);
    row_block rows = rows_at(0, 1), others = rows_at(0, 2);
    send_rows(&staged, &rows);
    assert_false(take_rows(&staged, &others));
    others = rows;
    others.truths = NULL;
    assert_false(take_rows(&staged, &others));
    others = rows;
    others.input_count--;
    assert_false(take_rows(&staged, &others));
    others = rows;
    others.truth_count++;
    assert_false(take_rows(&staged, &others));
    assert_true(take_rows(&staged, &rows));
    expect_in_network(&device, 0, 1);
}

/* A resize: the same addresses may then hold other rows. */
static void what_is_forgotten_is_not_taken(void **state) {
    (void)state;
    lazy_device device;
    staged_rows staged = staged_for(&device);
    row_block rows = rows_at(0, 0);
    send_rows(&staged, &rows);
    settle_rows(&staged, true);
    assert_int_equal(device.waits, 1);
    assert_null(device.under_way.inputs);
    assert_false(take_rows(&staged, &rows));
    write_iteration(0);
    send_rows(&staged, &rows);
    assert_true(take_rows(&staged, &rows));
    expect_in_network(&device, 0, 0);
}

static void rows_that_nobody_took_are_replaced(void **state) {
    (void)state;
    lazy_device device;
    staged_rows staged = staged_for(&device);
    write_iteration(0);
    row_block first = rows_at(0, 0), second = rows_at(0, 1);
    send_rows(&staged, &first);
    send_rows(&staged, &second);
    assert_false(take_rows(&staged, &first));
    assert_true(take_rows(&staged, &second));
    expect_in_network(&device, 0, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_training_gets_its_rows),
        cmocka_unit_test(nothing_is_taken_that_was_not_sent),
        cmocka_unit_test(other_rows_leave_what_was_sent),
        cmocka_unit_test(what_is_forgotten_is_not_taken),
        cmocka_unit_test(rows_that_nobody_took_are_replaced),
    };
    return cmocka_run_group_tests_name("staged_rows", tests, NULL, NULL);
}
