/* A list of arrays in the device's memory, as the kernels of array_list_blocks.h go over it. GPU
 * builds only; one thread at a time. */
#ifndef DEVICE_LIST_H
#define DEVICE_LIST_H

#ifdef GPU
#include <stddef.h>

typedef struct {
    void *arrays;           /* (count) */
    unsigned *first_blocks; /* (count + 1), see lay_out_blocks() */
    int count;
    unsigned blocks; /* 0: nothing to launch, and no memory */
} device_list;

/* Of `arrays`, (count) of `size` bytes each; the first one's number of floats is at `counts`. The
 * caller releases it with drop_device_list(). */
device_list make_device_list(const void *arrays, size_t size, int count, const size_t *counts);

/* Waits for the device, which may still read it, and leaves an empty list. */
void drop_device_list(device_list *list);
#endif

#endif
