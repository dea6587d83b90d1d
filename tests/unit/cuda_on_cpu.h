/* Runs kernels on the CPU: a thread for each thread of a block, one block after the other, and
 * __syncthreads() as a barrier of them. So the lines that a GPU runs are tested where there is
 * none, and ThreadSanitizer finds a barrier that is missing. Include it before the kernels. */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    unsigned x;
} cuda_index;

static _Thread_local cuda_index threadIdx, blockIdx;
static cuda_index blockDim;
static pthread_barrier_t block_barrier;

/* A GPU build has them from CUDA. */
#undef __device__
#undef __global__
#undef __shared__
#define __device__
#define __global__
#define __shared__ static /* blocks run one after the other */
#define __syncthreads() ((void)pthread_barrier_wait(&block_barrier))

static inline int atomicMax(int *at, int value) {
    int before = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (before < value && !__atomic_compare_exchange_n(at, &before, value, false,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return before;
}

typedef struct {
    void (*kernel)(void *argument);
    void *argument;
    unsigned thread, blocks;
} cuda_thread;

static void *run_cuda_thread(void *pointer) {
    cuda_thread *t = pointer;
    threadIdx.x = t->thread;
    for (unsigned block = 0; block < t->blocks; block++) {
        blockIdx.x = block;
        t->kernel(t->argument);
        __syncthreads(); /* what the block shares becomes the next block's */
    }
    return NULL;
}

/* kernel<<<blocks, threads>>>(argument) */
static void run_on_cpu(void (*kernel)(void *), void *argument, int blocks, int threads) {
    pthread_t *handles = calloc((size_t)threads, sizeof *handles);
    cuda_thread *all = calloc((size_t)threads, sizeof *all);
    blockDim.x = (unsigned)threads;
    pthread_barrier_init(&block_barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        all[i] = (cuda_thread){kernel, argument, (unsigned)i, (unsigned)blocks};
        if (pthread_create(&handles[i], NULL, run_cuda_thread, &all[i])) {
            perror("pthread_create");
            exit(1);
        }
    }
    for (int i = 0; i < threads; i++)
        pthread_join(handles[i], NULL);
    pthread_barrier_destroy(&block_barrier);
    free(handles);
    free(all);
}

#endif
