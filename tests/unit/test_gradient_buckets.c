/* gradient_buckets: each float is sent exactly once, not before its layer is done, in messages of
 * the size that was asked for. */
#include "gradient_buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_ARRAYS = 8, MOST_COUNT = 100 };

typedef struct {
    bucket_array arrays[MOST_ARRAYS];
    int count;
    bucket *buckets;
    int bucket_count;
    size_t flat;
} plan;

static plan plan_of(const bucket_array *arrays, int count, size_t floats, size_t most) {
    plan p = {.count = count};
    for (int i = 0; i < count; i++)
        p.arrays[i] = arrays[i];
    p.buckets = plan_buckets(p.arrays, count, floats, most, &p.bucket_count, &p.flat);
    return p;
}

/* How often float `at` of an array is sent, and not before its layer. */
static int times_sent(const plan *p, int array, size_t at) {
    const bucket_array *a = &p->arrays[array];
    size_t place = a->at == IN_PLACE ? at : a->at + at;
    int times = 0;
    for (int i = 0; i < p->bucket_count; i++) {
        const bucket *b = &p->buckets[i];
        bool same = a->at == IN_PLACE ? b->array == array : b->array == -1;
        if (!same || place < b->from || place >= b->from + b->count)
            continue;
        assert_true(b->layer <= a->layer);
        times++;
    }
    return times;
}

static void check_plan(const plan *p) {
    for (int i = 0; i < p->count; i++)
        for (size_t at = 0; at < p->arrays[i].count; at++)
            assert_int_equal(times_sent(p, i, at), 1);
    for (int i = 1; i < p->bucket_count; i++)
        assert_true(p->buckets[i].layer <= p->buckets[i - 1].layer);
}

static void small_arrays_share_messages(void **state) {
    (void)state;
    const bucket_array arrays[] = {{4, 5}, {4, 4}, {4, 3}, {1, 0}};
    plan p = plan_of(arrays, 4, 8, 100);
    check_plan(&p);
    assert_int_equal(p.bucket_count, 2);
    assert_int_equal(p.buckets[0].count, 8);
    assert_int_equal(p.buckets[0].layer, 4);
    assert_int_equal(p.buckets[1].count, 5);
    assert_int_equal(p.flat, 13);
    free(p.buckets);
}

static void large_arrays_are_not_copied(void **state) {
    (void)state;
    const bucket_array arrays[] = {{3, 5}, {50, 5}, {3, 4}, {20, 2}};
    plan p = plan_of(arrays, 4, 8, 100);
    check_plan(&p);
    assert_int_equal(p.flat, 6);
    assert_int_equal(p.arrays[1].at, IN_PLACE);
    assert_int_equal(p.arrays[3].at, IN_PLACE);
    assert_int_equal(p.bucket_count, 3);
    assert_int_equal(p.buckets[0].array, 1);
    free(p.buckets);
}

static void very_large_ones_go_in_parts(void **state) {
    (void)state;
    const bucket_array arrays[] = {{50, 1}};
    plan p = plan_of(arrays, 1, 8, 20);
    check_plan(&p);
    assert_int_equal(p.bucket_count, 3);
    assert_int_equal(p.buckets[2].count, 10);
    free(p.buckets);
}

static void so_does_a_flat_buffer_of_them(void **state) {
    (void)state;
    const bucket_array arrays[] = {{5, 2, true}, {50, 1, true}, {3, 0, true}};
    plan p = plan_of(arrays, 3, 8, 20);
    check_plan(&p);
    assert_int_equal(p.flat, 58);
    assert_int_equal(p.bucket_count, 4);
    assert_int_equal(p.buckets[2].layer, 1);
    assert_int_equal(p.buckets[2].count, 15);
    assert_int_equal(p.buckets[3].count, 3);
    free(p.buckets);
}

static void what_must_be_copied_is(void **state) {
    (void)state;
    const bucket_array arrays[] = {{50, 1, true}, {50, 0}};
    plan p = plan_of(arrays, 2, 8, 100);
    check_plan(&p);
    assert_int_equal(p.flat, 50);
    assert_int_equal(p.arrays[0].at, 0);
    free(p.buckets);
}

static void any_sizes_are_sent_once(void **state) {
    (void)state;
    srand(3);
    for (int round = 0; round < 200; round++) {
        bucket_array arrays[MOST_ARRAYS];
        int count = 1 + rand() % MOST_ARRAYS, layer = 20;
        for (int i = 0; i < count; i++) {
            layer -= rand() % 3;
            arrays[i] = (bucket_array){1 + (size_t)rand() % MOST_COUNT, layer, rand() % 4 == 0, 0};
        }
        plan p = plan_of(arrays, count, 1 + (size_t)rand() % 60, 30);
        check_plan(&p);
        free(p.buckets);
    }
}

static void nothing_makes_no_message(void **state) {
    (void)state;
    plan p = plan_of(NULL, 0, 8, 100);
    assert_int_equal(p.bucket_count, 0);
    assert_int_equal(p.flat, 0);
    free(p.buckets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_arrays_share_messages),
        cmocka_unit_test(large_arrays_are_not_copied),
        cmocka_unit_test(very_large_ones_go_in_parts),
        cmocka_unit_test(so_does_a_flat_buffer_of_them),
        cmocka_unit_test(what_must_be_copied_is),
        cmocka_unit_test(any_sizes_are_sent_once),
        cmocka_unit_test(nothing_makes_no_message),
    };
    return cmocka_run_group_tests_name("gradient_buckets", tests, NULL, NULL);
}
