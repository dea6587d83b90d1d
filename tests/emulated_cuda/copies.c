/* Copies between the host's memory and the device's. */
#include "emulation.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char *to;
    const char *from; /* NULL: `bytes` */
    size_t size;
    char bytes[]; /* as pageable memory was when the copy was asked for */
} copy;

static void run_copy(void *arguments) {
    const copy *c = arguments;
    memcpy(c->to, c->from ? c->from : c->bytes, c->size);
}

static bool fits(enum cudaMemcpyKind kind, memory_kind to, memory_kind from) {
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice,
         from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return kind == cudaMemcpyDefault ||
           (to_device == (to == ON_DEVICE) && from_device == (from == ON_DEVICE));
}

/* What is read of the host's pageable memory is read now, and what is written there is there on
 * return; pinned memory is read and written when the copy's turn comes. */
static cudaError_t copy_in(cudaStream_t stream, void *to, const void *from, size_t size,
                           enum cudaMemcpyKind kind) {
    bool to_valid, from_valid;
    memory_kind to_kind = kind_of_memory(to, size, &to_valid),
                from_kind = kind_of_memory(from, size, &from_valid);
    if (!size)
        return cudaSuccess;
    count_call(COPIES);
    if (!to_valid || !from_valid || !fits(kind, to_kind, from_kind))
        return cudaErrorInvalidValue;
    if (from_kind == PAGEABLE && is_captured(stream))
        emulation_abort("a copy from pageable memory is captured, which would be read anew each "
                        "time on a card and is not here");
    copy *c = zeroed(sizeof *c + (from_kind == PAGEABLE ? size : 0));
    *c = (copy){to, from, size};
    if (from_kind == PAGEABLE) {
        memcpy(c->bytes, from, size);
        c->from = NULL;
    }
    cudaError_t status = put_work(stream, (work){run_copy, NULL, c});
    return status == cudaSuccess && to_kind == PAGEABLE ? do_work_of(stream) : status;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind kind,
                            cudaStream_t stream) {
    enter();
    return leave(copy_in(stream, to, from, size, kind));
}

/* From pageable memory it waits before the copy, which may come later. */
cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind) {
    bool valid, is_pageable;
    enter();
    is_pageable = kind_of_memory(from, size, &valid) == PAGEABLE;
    cudaError_t status = is_pageable ? do_work_of(NULL) : refuse_in_capture();
    if (status == cudaSuccess)
        status = copy_in(NULL, to, from, size, kind);
    if (status == cudaSuccess && !is_pageable && kind != cudaMemcpyDeviceToDevice)
        status = do_work_of(NULL);
    return leave(status);
}

typedef struct {
    char *to;
    size_t size;
    int value;
} filling;

static void run_filling(void *arguments) {
    const filling *f = arguments;
    memset(f->to, f->value, f->size);
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t size, cudaStream_t stream) {
    bool valid;
    enter();
    if (kind_of_memory(to, size, &valid) != ON_DEVICE || !valid)
        return leave(cudaErrorInvalidValue);
    count_call(COPIES);
    filling *f = zeroed(sizeof *f);
    *f = (filling){to, size, value};
    return leave(put_work(stream, (work){run_filling, NULL, f}));
}

cudaError_t cudaMemset(void *to, int value, size_t size) {
    return cudaMemsetAsync(to, value, size, NULL);
}
