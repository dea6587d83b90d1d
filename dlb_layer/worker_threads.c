#include "worker_threads.h"

#include "fail.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
    pthread_mutex_t lock; /* guards the next three */
    pthread_cond_t changed;
    bool busy;
    void (*work)(void *context);
    void *context;
    worker *next_idle;
};

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static worker *idle; /* the first of a list; guarded by idle_lock */

static void *live(void *argument) {
    worker *w = argument;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->busy)
            pthread_cond_wait(&w->changed, &w->lock);
        pthread_mutex_unlock(&w->lock);
        w->work(w->context); /* nobody changes them while it is busy */
        pthread_mutex_lock(&w->lock);
        w->busy = false;
        pthread_cond_broadcast(&w->changed);
    }
    return NULL;
}

static worker *take_idle_worker(void) {
    pthread_mutex_lock(&idle_lock);
    worker *w = idle;
    if (w)
        idle = w->next_idle;
    pthread_mutex_unlock(&idle_lock);
    return w;
}

static worker *make_worker(void) {
    worker *w = allocate(1, sizeof *w);
    pthread_t thread;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (pthread_create(&thread, NULL, live, w)) {
        free(w);
        return NULL;
    }
    pthread_detach(thread);
    return w;
}

worker *start_worker(void (*work)(void *context), void *context) {
    worker *w = take_idle_worker();
    if (!w)
        w = make_worker();
    if (!w)
        return NULL;
    pthread_mutex_lock(&w->lock);
    w->work = work;
    w->context = context;
    w->busy = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return w;
}

void finish_worker(worker *w) {
    pthread_mutex_lock(&w->lock);
    while (w->busy)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_lock(&idle_lock);
    w->next_idle = idle;
    idle = w;
    pthread_mutex_unlock(&idle_lock);
}
