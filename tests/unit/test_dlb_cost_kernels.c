/* The kernels of [dlb_cost], run on the CPU with a thread for each of CUDA's: against PyTorch's
 * goldens and against their twins in C, for any number of classes; the ring; sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cuda_on_cpu.h"

#include "dlb_cost_blocks.h"
#include "golden.h"
#include "step_losses_blocks.h"

/* ---- a micro-batch and a slot, in the memory that a device would have ---- */

typedef struct {
    dlb_cost_pass pass;
    float *logits, *truth, *delta, *ring_logits;
    int64_t *ids, *ring_ids;
    double *row_losses, sums[DLB_SUMS];
} bench;

static void *zeroed(int count, size_t size) {
    void *block = calloc((size_t)count, size);
    assert_non_null(block);
    return block;
}

/* The slot is empty; the ids are 0, 1, 2 ... */
static bench *make_bench(int half, int classes, double temperature, double weight) {
    bench *b = zeroed(1, sizeof *b);
    b->logits = zeroed(2 * half * classes, sizeof(float));
    b->truth = zeroed(2 * half * classes, sizeof(float));
    b->delta = zeroed(2 * half * classes, sizeof(float));
    b->ring_logits = zeroed(half * classes, sizeof(float));
    b->ids = zeroed(2 * half, sizeof(int64_t));
    b->ring_ids = zeroed(half, sizeof(int64_t));
    b->row_losses = zeroed(DLB_SUMS * 2 * half, sizeof(double));
    for (int row = 0; row < half; row++)
        b->ring_ids[row] = -1;
    for (int row = 0; row < 2 * half; row++)
        b->ids[row] = row;
    b->pass = (dlb_cost_pass){half,           classes,     b->logits,     b->truth, 1,
                              b->logits,      b->delta,    temperature,   weight,   b->ids,
                              b->ring_logits, b->ring_ids, b->row_losses, b->sums};
    return b;
}

static void free_bench(bench *b) {
    free(b->logits);
    free(b->truth);
    free(b->delta);
    free(b->ring_logits);
    free(b->ids);
    free(b->ring_ids);
    free(b->row_losses);
    free(b);
}

static void rows_kernel(void *pass) {
    dlb_cost_rows_kernel(*(dlb_cost_pass *)pass);
}

static void finish_kernel(void *pass) {
    dlb_cost_finish_kernel(*(dlb_cost_pass *)pass);
}

/* As launch_dlb_cost(), with so many threads. */
static void launch(bench *b, int threads) {
    run_on_cpu(rows_kernel, &b->pass, 2 * b->pass.half, threads);
    run_on_cpu(finish_kernel, &b->pass, b->pass.half + 1, threads);
}

static void draw_floats(float *values, int count, float scale) {
    for (int i = 0; i < count; i++)
        values[i] = scale * ((float)rand() / (float)RAND_MAX - .5f);
}

static void expect_close(const char *what, double value, double reference, double absolute,
                         double relative) {
    if (!(fabs(value - reference) <= absolute + relative * fabs(reference)))
        fail_msg("%s is %.17g, expected %.17g", what, value, reference);
}

/* ---- goldens ---- */

/* d CE / d logits of one value, which Darknet's softmax layer computes. */
static double softmax_gradient(const golden *g, int row, int class) {
    const float *logits = g->logits + (size_t)row * (size_t)g->classes;
    dlb_softmax s = dlb_softmax_of(logits, g->classes, 1);
    return exp(dlb_log_probability(s, logits[class], 1)) - (class == g->labels[row]);
}

static void check_golden(const char *name) {
    golden g = golden_read(name);
    bench *b = make_bench(g.overlap, g.classes, g.temperature, 2. * g.alpha);
    size_t half = (size_t)g.overlap * (size_t)g.classes;
    memcpy(b->logits, g.logits, 2 * half * sizeof(float));
    memcpy(b->ring_logits, g.teacher, half * sizeof(float));
    for (int row = 0; row < g.overlap; row++)
        b->ring_ids[row] = row;
    for (int row = 0; row < g.batch; row++)
        b->truth[row * g.classes + g.labels[row]] = 1;
    launch(b, DLB_LEAST_THREADS);
    assert_int_equal(b->sums[DLB_SUM_TEACHERS], g.overlap);
    expect_close("ce", b->sums[DLB_SUM_CROSS_ENTROPY] / g.batch, g.ce, 0, 1e-5);
    expect_close("lb", b->sums[DLB_SUM_CONSISTENCY] / (g.batch / 2.), g.lb, 1e-12, 1e-5);
    for (int row = 0; row < g.batch; row++)
        for (int k = 0; k < g.classes; k++) {
            int at = row * g.classes + k;
            double gradient = (softmax_gradient(&g, row, k) - b->delta[at]) / g.batch;
            expect_close("gradient", gradient, g.gradient[at], 2e-7 / g.batch, 1e-5);
        }
    free_bench(b);
    golden_free(&g);
}

#define GOLDEN(name)                                                                               \
    static void golden_##name(void **state) {                                                      \
        (void)state;                                                                               \
        check_golden(#name);                                                                       \
    }
GOLDEN(paper_defaults)
GOLDEN(two_rows_two_classes)
GOLDEN(cifar100)
GOLDEN(cool_temperature)
GOLDEN(hot_temperature)
GOLDEN(imagenet_classes)
GOLDEN(alpha_zero)
GOLDEN(huge_logits)
GOLDEN(teacher_equals_student)
GOLDEN(one_class_dominates)

/* ---- the twins in C ---- */

static void compare_with_c(int half, int classes, int threads, double temperature) {
    bench *b = make_bench(half, classes, temperature, 1.5);
    int all = 2 * half * classes;
    float *expected = zeroed(all, sizeof(float));
    double ce = 0, lb = 0;
    draw_floats(b->logits, all, 20);
    draw_floats(b->truth, all, 1);
    draw_floats(b->delta, all, 1);
    draw_floats(b->ring_logits, half * classes, 20);
    memcpy(expected, b->delta, (size_t)all * sizeof(float));
    for (int row = 0; row < 2 * half; row++)
        ce += dlb_cross_entropy(b->logits + row * classes, b->truth + row * classes, classes, 1);
    for (int row = 0; row < half; row++) {
        int at = row * classes;
        b->ring_ids[row] = row;
        lb +=
            dlb_row(b->logits + at, b->ring_logits + at, classes, temperature, 1.5, expected + at);
    }
    launch(b, threads);
    expect_close("ce", b->sums[DLB_SUM_CROSS_ENTROPY], ce, 1e-12, 1e-12);
    expect_close("lb", b->sums[DLB_SUM_CONSISTENCY], lb, 1e-12, 1e-12);
    for (int i = 0; i < all; i++)
        expect_close("delta", b->delta[i], expected[i], 1e-7, 1e-6);
    free(expected);
    free_bench(b);
}

static void any_number_of_classes_gives_what_c_gives(void **state) {
    (void)state;
    const int classes[] = {1, 2, 10, 31, 32, 33, 65, 1000};
    srand(1);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        compare_with_c(2, classes[i], DLB_LEAST_THREADS, .5 + (double)i);
    compare_with_c(3, 300, dlb_threads_for(300), 3);
}

static void a_block_has_a_power_of_two_of_threads(void **state) {
    (void)state;
    assert_int_equal(dlb_threads_for(1), 32);
    assert_int_equal(dlb_threads_for(32), 32);
    assert_int_equal(dlb_threads_for(33), 64);
    assert_int_equal(dlb_threads_for(100), 128);
    assert_int_equal(dlb_threads_for(21841), 256);
}

/* ---- the ring ---- */

enum { HALF = 3, CLASSES = 2 };

/* Rows whose logits say which they are. */
static bench *numbered_bench(void) {
    bench *b = make_bench(HALF, CLASSES, 1, 1);
    for (int i = 0; i < HALF * CLASSES; i++)
        b->ring_logits[i] = (float)(100 + 3 * i * i);
    for (int i = 0; i < 2 * HALF * CLASSES; i++)
        b->logits[i] = (float)(i * i % 7);
    return b;
}

/* Which of the slot's rows was the teacher of revisited row `row`; -1: none. */
static int teacher_of(const bench *before, const bench *after, int row) {
    const float *student = before->logits + row * CLASSES;
    double loss = after->row_losses[DLB_SUM_CONSISTENCY * 2 * HALF + row];
    if (after->row_losses[DLB_SUM_TEACHERS * 2 * HALF + row] == 0) {
        assert_true(loss == 0 && after->delta[row * CLASSES] == 0);
        return -1;
    }
    for (int teacher = 0; teacher < HALF; teacher++) {
        float delta[CLASSES] = {0};
        double expected =
            dlb_row(student, before->ring_logits + teacher * CLASSES, CLASSES, 1, 1, delta);
        if (fabs(loss - expected) < 1e-9 * (1 + expected))
            return teacher;
    }
    fail_msg("row %d has the loss %g, no teacher's", row, loss);
    return -2;
}

static void expect_teachers(const int64_t *ring_ids, const int64_t *ids, const int *teachers) {
    bench *before = numbered_bench(), *after = numbered_bench();
    int count = 0;
    memcpy(after->ring_ids, ring_ids, HALF * sizeof *ring_ids);
    memcpy(after->ids, ids, 2 * HALF * sizeof *ids);
    launch(after, DLB_LEAST_THREADS);
    for (int row = 0; row < HALF; row++) {
        assert_int_equal(teacher_of(before, after, row), teachers[row]);
        count += teachers[row] >= 0;
    }
    assert_int_equal(after->sums[DLB_SUM_TEACHERS], count);
    free_bench(before);
    free_bench(after);
}

static void the_teacher_is_found_by_its_id(void **state) {
    (void)state;
    const int64_t in_order[] = {7, 8, 9}, twice[] = {7, 8, 7}, far[] = {1LL << 40, 8, 9};
    const int64_t same[] = {7, 8, 9, 0, 1, 2}, turned[] = {9, 7, 8, 0, 1, 2};
    const int64_t lost[] = {7, 5, 9, 0, 1, 2}, doubled[] = {8, 7, 7, 0, 1, 2};
    const int64_t wide[] = {0, 1LL << 40, 9, 0, 1, 2};
    expect_teachers(in_order, same, (int[]){0, 1, 2});
    expect_teachers(in_order, turned, (int[]){2, 0, 1});
    expect_teachers(in_order, lost, (int[]){0, -1, 2});
    /* an image twice in a slot, at an epoch's turn: the expected row, else the first */
    expect_teachers(twice, doubled, (int[]){1, 0, 2});
    expect_teachers(far, wide, (int[]){-1, 0, 2});
}

static void an_empty_slot_teaches_nothing_and_takes_the_new_rows(void **state) {
    (void)state;
    bench *b = numbered_bench();
    launch(b, DLB_LEAST_THREADS);
    assert_true(b->sums[DLB_SUM_TEACHERS] == 0 && b->sums[DLB_SUM_CONSISTENCY] == 0);
    for (int i = 0; i < 2 * HALF * CLASSES; i++)
        assert_true(b->delta[i] == 0);
    for (int row = 0; row < HALF; row++)
        assert_int_equal(b->ring_ids[row], HALF + row);
    assert_memory_equal(b->ring_logits, b->logits + HALF * CLASSES, HALF * CLASSES * sizeof(float));
    free_bench(b);
}

static void new_rows_get_no_gradient_and_sums_go_on(void **state) {
    (void)state;
    bench *b = numbered_bench();
    double once[DLB_SUMS];
    memcpy(b->ring_ids, b->ids, HALF * sizeof *b->ids);
    float kept[HALF * CLASSES];
    memcpy(kept, b->ring_logits, sizeof kept);
    launch(b, DLB_LEAST_THREADS);
    for (int i = 0; i < HALF * CLASSES; i++) {
        assert_true(b->delta[i] != 0);
        assert_true(b->delta[HALF * CLASSES + i] == 0);
    }
    memcpy(once, b->sums, sizeof once);
    memcpy(b->ring_ids, b->ids, HALF * sizeof *b->ids);
    memcpy(b->ring_logits, kept, sizeof kept);
    launch(b, DLB_LEAST_THREADS);
    for (int i = 0; i < DLB_SUMS; i++)
        assert_true(b->sums[i] == 2 * once[i]);
    free_bench(b);
}

/* ---- losses of a step ---- */

static void losses_kernel(void *sum) {
    add_losses_kernel(*(loss_sum *)sum);
}

static void losses_of_a_step_are_added(void **state) {
    (void)state;
    float losses[100];
    double sum = .5;
    for (int count = 0; count <= 100; count += 50) {
        loss_sum s = {losses, count, &sum};
        for (int i = 0; i < 100; i++)
            losses[i] = (float)i;
        run_on_cpu(losses_kernel, &s, 1, DLB_LEAST_THREADS);
    }
    assert_true(sum == .5 + 49 * 50 / 2 + 99 * 100 / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_paper_defaults),
        cmocka_unit_test(golden_two_rows_two_classes),
        cmocka_unit_test(golden_cifar100),
        cmocka_unit_test(golden_cool_temperature),
        cmocka_unit_test(golden_hot_temperature),
        cmocka_unit_test(golden_imagenet_classes),
        cmocka_unit_test(golden_alpha_zero),
        cmocka_unit_test(golden_huge_logits),
        cmocka_unit_test(golden_teacher_equals_student),
        cmocka_unit_test(golden_one_class_dominates),
        cmocka_unit_test(any_number_of_classes_gives_what_c_gives),
        cmocka_unit_test(a_block_has_a_power_of_two_of_threads),
        cmocka_unit_test(the_teacher_is_found_by_its_id),
        cmocka_unit_test(an_empty_slot_teaches_nothing_and_takes_the_new_rows),
        cmocka_unit_test(new_rows_get_no_gradient_and_sums_go_on),
        cmocka_unit_test(losses_of_a_step_are_added),
    };
    return cmocka_run_group_tests_name("dlb_cost_kernels", tests, NULL, NULL);
}
