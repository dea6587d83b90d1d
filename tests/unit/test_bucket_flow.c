/* Gradients of ranks on GPUs, with a stand-in for the GPUs and for what adds up: the kernels run on
 * the CPU, and the ranks are in one process. Each array becomes its sum or mean over the ranks, and
 * is taken when the backward pass is done with its layer, not before. */
#include "bucket_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cuda_on_cpu.h"

#include "flat_array_blocks.h"

enum { RANKS = 3, ARRAYS = 6, LAYERS = 4, THREADS = 8, MOST = 3 * BLOCK_FLOATS };

/* In the order of the backward pass. */
static const struct {
    size_t count;
    int layer;
    bool averages;
} ALL[ARRAYS] = {{7, 3, false}, {5, 3, true}, {BLOCK_FLOATS + 9, 2, false},
                 {1, 2, false}, {2, 1, true}, {2 * BLOCK_FLOATS, 0, false}};

typedef struct {
    placed_array arrays[ARRAYS];
    bucket_array places[ARRAYS];
    unsigned first_blocks[ARRAYS + 1];
    bucket *buckets;
    float *flat;
    size_t floats;
    bucket_flow flow;
    int sums_taken;
} rank_state;

static rank_state ranks[RANKS];

static void gather_kernel(void *pass) {
    gather_arrays_kernel(*(flat_pass *)pass);
}

static void scatter_kernel(void *pass) {
    scatter_arrays_kernel(*(flat_pass *)pass);
}

static void run_over(rank_state *r, void (*kernel)(void *), int first, int end) {
    flat_pass pass = {r->arrays, r->first_blocks, ARRAYS, r->first_blocks[first], r->flat};
    run_on_cpu(kernel, &pass, (int)(r->first_blocks[end] - r->first_blocks[first]), THREADS);
}

static void gather(void *context, int first, int end) {
    assert_true(end > first);
    run_over(context, gather_kernel, first, end);
}

static void send(void *context, int number) {
    rank_state *r = context;
    assert_int_equal(number, r->sums_taken++); /* all of them, in order */
}

static float value_of(int rank, int array, size_t at) {
    return (float)((rank + 1) * (array + 2) + (int)(at % 11)); /* sums of these are exact */
}

static void make_rank(rank_state *r, int rank, size_t floats, size_t most) {
    int buckets;
    *r = (rank_state){0};
    for (int i = 0; i < ARRAYS; i++) {
        r->places[i] = (bucket_array){ALL[i].count, ALL[i].layer, true, 0};
        r->arrays[i] = (placed_array){calloc(ALL[i].count, sizeof(float)), ALL[i].count, 0,
                                      ALL[i].averages ? RANKS : 1};
        for (size_t at = 0; at < ALL[i].count; at++)
            r->arrays[i].floats[at] = value_of(rank, i, at);
    }
    r->buckets = plan_buckets(r->places, ARRAYS, floats, most, &buckets, &r->floats);
    for (int i = 0; i < ARRAYS; i++)
        r->arrays[i].at = r->places[i].at;
    lay_out_blocks(&r->arrays->count, sizeof *r->arrays, ARRAYS, r->first_blocks);
    r->flat = calloc(r->floats, sizeof *r->flat);
    r->flow = (bucket_flow){{r, gather, send}, r->places, r->buckets, ARRAYS, buckets, 0, 0};
}

static void free_rank(rank_state *r) {
    for (int i = 0; i < ARRAYS; i++)
        free(r->arrays[i].floats);
    free(r->buckets);
    free(r->flat);
}

/* What is sent later is not in the buffer yet. */
static void expect_gathered(const rank_state *r, int layer) {
    for (int i = 0; i < ARRAYS; i++)
        if (ALL[i].layer < layer)
            assert_true(r->flat[r->places[i].at] == 0);
    for (int i = 0; i < r->flow.bucket_count; i++)
        assert_int_equal(r->buckets[i].layer >= layer, i < r->sums_taken);
}

static void add_up(void) {
    for (size_t at = 0; at < ranks[0].floats; at++) {
        float sum = 0;
        for (int rank = 0; rank < RANKS; rank++)
            sum += ranks[rank].flat[at];
        for (int rank = 0; rank < RANKS; rank++)
            ranks[rank].flat[at] = sum;
    }
}

static void expect_sums(const rank_state *r) {
    for (int i = 0; i < ARRAYS; i++)
        for (size_t at = 0; at < ALL[i].count; at++) {
            float sum = 0;
            for (int rank = 0; rank < RANKS; rank++)
                sum += value_of(rank, i, at);
            assert_true(r->arrays[i].floats[at] == (ALL[i].averages ? sum / RANKS : sum));
        }
}

static void sums_in_buckets_of(size_t floats, size_t most) {
    for (int rank = 0; rank < RANKS; rank++) {
        rank_state *r = &ranks[rank];
        make_rank(r, rank, floats, most);
        for (int layer = LAYERS - 1; layer >= 0; layer--) {
            advance_bucket_flow(&r->flow, layer);
            expect_gathered(r, layer);
        }
        advance_bucket_flow(&r->flow, 0); /* nothing is left */
        assert_int_equal(r->sums_taken, r->flow.bucket_count);
    }
    add_up();
    for (int rank = 0; rank < RANKS; rank++) {
        run_over(&ranks[rank], scatter_kernel, 0, ARRAYS);
        expect_sums(&ranks[rank]);
        free_rank(&ranks[rank]);
    }
}

static void arrays_are_summed_over_the_ranks(void **state) {
    (void)state;
    sums_in_buckets_of(1, MOST);
    sums_in_buckets_of(10, MOST);
    sums_in_buckets_of(BLOCK_FLOATS, BLOCK_FLOATS / 2);
    sums_in_buckets_of(100 * BLOCK_FLOATS, 100 * BLOCK_FLOATS);
}

/* A backward pass that ends early, as before a layer with stopbackward. */
static void layers_that_are_left_out_are_sent_too(void **state) {
    (void)state;
    make_rank(&ranks[0], 0, 10, MOST);
    advance_bucket_flow(&ranks[0].flow, 2);
    assert_true(ranks[0].sums_taken < ranks[0].flow.bucket_count);
    advance_bucket_flow(&ranks[0].flow, 0);
    assert_int_equal(ranks[0].sums_taken, ranks[0].flow.bucket_count);
    assert_int_equal(ranks[0].flow.gathered, ARRAYS);
    free_rank(&ranks[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_summed_over_the_ranks),
        cmocka_unit_test(layers_that_are_left_out_are_sent_too),
    };
    return cmocka_run_group_tests_name("bucket_flow", tests, NULL, NULL);
}
