/* worker_threads: work is done, waited for, and done by the same threads again. */
#include "worker_threads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORKERS = 4 };

typedef struct {
    int calls;
    pthread_t thread;
} task;

static void do_task(void *context) {
    task *t = context;
    t->calls++;
    t->thread = pthread_self();
}

static void run_all(task *tasks) {
    worker *workers[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = start_worker(do_task, &tasks[i]);
        assert_non_null(workers[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        finish_worker(workers[i]);
}

static bool is_among(pthread_t thread, const task *tasks) {
    for (int i = 0; i < WORKERS; i++)
        if (pthread_equal(thread, tasks[i].thread))
            return true;
    return false;
}

static void threads_are_kept_for_other_work(void **state) {
    (void)state;
    task first[WORKERS] = {{0}}, later[WORKERS] = {{0}};
    run_all(first);
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(first[i].calls, 1);
        assert_false(pthread_equal(first[i].thread, pthread_self()));
        for (int k = 0; k < i; k++)
            assert_false(pthread_equal(first[i].thread, first[k].thread));
    }
    for (int round = 1; round <= 50; round++) {
        run_all(later);
        for (int i = 0; i < WORKERS; i++) {
            assert_int_equal(later[i].calls, round);
            assert_true(is_among(later[i].thread, first));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_kept_for_other_work),
    };
    return cmocka_run_group_tests_name("worker_threads", tests, NULL, NULL);
}
