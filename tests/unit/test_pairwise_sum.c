/* pairwise_sum: the sum is that of the tree, bit for bit, whether its terms come one after the
 * other, are all there, or lie in aligned parts; other places of the arrays are left alone. */
#include "pairwise_sum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_TERMS = 16, FLOATS = 7 };

/* Values of very different sizes, so that each order of a sum has bits of its own. */
static float value_of(int term, int i) {
    static const float sizes[] = {1e7f, 1, 3e-4f, 2e3f, 5e-2f};
    return sizes[(term * 3 + i) % 5] * (float)(1 + (term * 7 + i * 5) % 11) / 3;
}

/* By the definition. */
static float tree(int from, int terms, int i) {
    if (terms == 1)
        return value_of(from, i);
    return tree(from, terms / 2, i) + tree(from + terms / 2, terms / 2, i);
}

static void fill(float *values, int term) {
    for (int i = 0; i < FLOATS; i++)
        values[i] = value_of(term, i);
}

/* Terms `from` to from + terms - 1, one after the other, into `values`. */
static void add_in_turn(int from, int terms, float *values) {
    pairwise_sum *sum = pairwise_sum_create(terms, FLOATS);
    for (int term = 0; term < terms; term++) {
        fill(values, from + term);
        pairwise_sum_add(sum, term, 0, values, 3); /* two arrays, as it were */
        pairwise_sum_add(sum, term, 3, values + 3, FLOATS - 3);
    }
    pairwise_sum_free(sum);
}

static void assert_tree(const float *values, int terms) {
    for (int i = 0; i < FLOATS; i++) {
        float expected = tree(0, terms, i);
        assert_memory_equal(&values[i], &expected, sizeof expected);
    }
}

static void terms_in_turn_are_the_tree(void **state) {
    (void)state;
    float values[FLOATS];
    for (int terms = 1; terms <= MOST_TERMS; terms *= 2) {
        add_in_turn(0, terms, values);
        assert_tree(values, terms);
    }
}

static void terms_at_once_are_the_tree(void **state) {
    (void)state;
    float values[MOST_TERMS * FLOATS];
    for (int terms = 1; terms <= MOST_TERMS; terms *= 2) {
        for (int term = 0; term < terms; term++)
            fill(values + (ptrdiff_t)term * FLOATS, term);
        add_pairwise(values, terms, FLOATS);
        assert_tree(values, terms);
    }
}

static void parts_of_it_add_up_to_the_tree(void **state) {
    (void)state;
    float values[MOST_TERMS * FLOATS];
    for (int parts = 1; parts <= MOST_TERMS; parts *= 2) {
        int own = MOST_TERMS / parts;
        for (int part = 0; part < parts; part++)
            add_in_turn(part * own, own, values + (ptrdiff_t)part * FLOATS);
        add_pairwise(values, parts, FLOATS);
        assert_tree(values, MOST_TERMS);
    }
}

/* Otherwise the other tests would show nothing. */
static void another_order_has_other_bits(void **state) {
    (void)state;
    int others = 0;
    for (int i = 0; i < FLOATS; i++) {
        float row = 0;
        for (int term = 0; term < MOST_TERMS; term++)
            row += value_of(term, i);
        others += row != tree(0, MOST_TERMS, i);
    }
    assert_true(others > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_in_turn_are_the_tree),
        cmocka_unit_test(terms_at_once_are_the_tree),
        cmocka_unit_test(parts_of_it_add_up_to_the_tree),
        cmocka_unit_test(another_order_has_other_bits),
    };
    return cmocka_run_group_tests_name("pairwise_sum", tests, NULL, NULL);
}
