#include "device_list.h"

#ifdef GPU
#include "array_list.h"
#include "fail.h"
#include "gpu_status.h"

#include <stdlib.h>

static void *on_device(const void *from, size_t bytes) {
    void *to = NULL;
    check_error(cudaMalloc(&to, bytes));
    check_error(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
    return to;
}

device_list make_device_list(const void *arrays, size_t size, int count, const size_t *counts) {
    unsigned *first_blocks = allocate((size_t)count + 1, sizeof *first_blocks);
    lay_out_blocks(counts, size, count, first_blocks);
    device_list list = {.count = count, .blocks = first_blocks[count]};
    if (list.blocks) {
        list.arrays = on_device(arrays, (size_t)count * size);
        list.first_blocks = on_device(first_blocks, ((size_t)count + 1) * sizeof *first_blocks);
    }
    free(first_blocks);
    return list;
}

void drop_device_list(device_list *list) {
    check_error(cudaDeviceSynchronize());
    check_error(cudaFree(list->arrays));
    check_error(cudaFree(list->first_blocks));
    *list = (device_list){0};
}
#endif
