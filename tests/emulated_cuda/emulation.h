/* The parts of the emulated CUDA among themselves. What a program puts into a stream is kept, and
 * done as late as the order of streams and events allows: when the host waits for it, or for what
 * comes after it. So a wait that is missing shows. Functions are called with the lock held.
 *
 * EMULATED_PACE, read whenever it matters, changes that:
 *   early   what is put into a stream is done at once, where nothing before it is left to do
 *   ahead   so is what goes to other streams than the default one
 *   slow    nothing is done for a cudaEventQuery() but sums over ranks; only for who waits */
#ifndef EMULATION_H
#define EMULATION_H

#include "cuda_runtime.h"

#include <stdbool.h>
#include <stddef.h>

/* Prints a sentence and aborts: the program did what would be an error of the device, which CUDA
 * could not report by a status. */
_Noreturn void emulation_abort(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* free() releases it; never NULL. */
void *zeroed(size_t size);

/* ---- the calls of a program (device.c) ---- */

/* Of each call of the interface, first and last; any thread. leave() keeps the status for
 * cudaGetLastError(), and returns it. */
void enter(void);
cudaError_t leave(cudaError_t status);

/* ---- what is counted (counts.c) ---- */

/* Calls as they are made, while a step is captured too; a graph's launch is one. Waits are those of
 * the host for the device, whether there was anything to wait for or not. */
typedef enum { KERNELS, LIBRARY_CALLS, COPIES, GRAPHS, WAITS, COUNTED_KINDS } counted_kind;
void count_call(counted_kind kind);

/* ---- memory (memory.c) ---- */

typedef enum { PAGEABLE, PINNED, ON_DEVICE } memory_kind;

/* What kind of memory all of the bytes are; *valid is false where they begin in the device's or in
 * pinned memory and are not all in one array of it. */
memory_kind kind_of_memory(const void *memory, size_t size, bool *valid);

/* Ends the program where `user` is given memory that a card does not see, or that is freed. Only
 * its beginning is looked at. */
void need_device_memory(const void *memory, const char *user);

/* The device's memory can be touched from open to close alone, so by its own work. */
void open_device_memory(void);
void close_device_memory(void);

/* ---- streams (streams.c) ---- */

typedef struct {
    void (*run)(void *arguments);
    void (*drop)(void *arguments); /* NULL: free() */
    void *arguments;
    /* Whether what run() has begun is done; asked until it is, which gets it on. `host_waits`: by
     * a call that returns only then. NULL: it is done when run() returns. */
    bool (*is_done)(void *arguments, bool host_waits);
} work;

/* Puts work into a stream, or into the graph that is captured there. It is dropped after it is
 * done; where the status is an error, at once. */
cudaError_t put_work(cudaStream_t stream, work w);

/* Does all, or what the stream's last work needs. An error while a stream of this thread is
 * captured. */
cudaError_t do_all_work(void);
cudaError_t do_work_of(cudaStream_t stream);

bool is_captured(cudaStream_t stream);

/* An error while a stream of this thread is captured, which is spoiled then: the call is one of
 * those that CUDA does not allow meanwhile. */
cudaError_t refuse_in_capture(void);

void drop_work(const work *w);

#endif
