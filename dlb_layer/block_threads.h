/* How many threads a block gets. For C and for CUDA. */
#ifndef BLOCK_THREADS_H
#define BLOCK_THREADS_H

/* Of a block; a power of two, because reductions halve. */
enum { DLB_LEAST_THREADS = 32, DLB_MOST_THREADS = 256 };

/* Threads for so many values. */
static inline int dlb_threads_for(int values) {
    int threads = DLB_LEAST_THREADS;
    while (threads < values && threads < DLB_MOST_THREADS)
        threads *= 2;
    return threads;
}

#endif
