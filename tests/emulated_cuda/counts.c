/* With EMULATED_CUDA_COUNTS set, one line at the program's end: what it has asked the device for.
 */
#include "emulation.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned long counts[COUNTED_KINDS];

void count_call(counted_kind kind) {
    counts[kind]++;
}

__attribute__((destructor)) static void print_counts(void) {
    if (getenv("EMULATED_CUDA_COUNTS"))
        fprintf(
            stderr,
            "emulated CUDA: %lu kernels, %lu library calls, %lu copies, %lu graphs, %lu waits\n",
            counts[KERNELS], counts[LIBRARY_CALLS], counts[COPIES], counts[GRAPHS], counts[WAITS]);
}
