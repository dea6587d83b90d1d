/* Kernels: the threads of a block take turns on one of the CPU's, each until it waits for the
 * others. The order changes from launch to launch, of blocks and of threads, so that what relies
 * on one shows. */
#include "emulation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum {
    MOST_THREADS = 1024,
    MOST_GRID_YZ = 65535,
    STACK = 1 << 17,
    GUARD = 1 << 16,
    NAN_BYTE = 0xff
};

/* As emulated_kernels.h has it. */
typedef struct {
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
    char *shared_begin, *shared_end;
} emulated_shape;

typedef struct {
    emulated_shape shape;
    void (*run)(void *arguments);
    void (*drop)(void *arguments);
    void *arguments;
    bool backwards;
} kernel_launch;

/* A stack that runs thread after thread, until one of them waits: then it is that thread's. It is
 * begun by setcontext(), and left and gone on with by jumps, which need no call of the kernel's. */
typedef struct {
    char *stack; /* NULL: not begun */
    jmp_buf place;
    unsigned thread;
    bool waits;
} fiber;

dim3 threadIdx, blockIdx, blockDim, gridDim;

static fiber fibers[MOST_THREADS];
static jmp_buf scheduler;
static fiber *running;
static const kernel_launch *running_launch;
static unsigned threads_begun, threads_of_block;

/* ---- threads ---- */

static void become_thread(unsigned thread) {
    dim3 block = running_launch->shape.block;
    threadIdx.x = thread % block.x;
    threadIdx.y = thread / block.x % block.y;
    threadIdx.z = thread / block.x / block.y;
}

static void run_threads(void) {
    while (threads_begun < threads_of_block) {
        unsigned turn = threads_begun++;
        running->thread = running_launch->backwards ? threads_of_block - 1 - turn : turn;
        become_thread(running->thread);
        running_launch->run(running_launch->arguments);
    }
}

static void leave_fiber(void) {
    if (!_setjmp(running->place))
        _longjmp(scheduler, 1);
}

void emulated_barrier(void) {
    running->waits = true;
    leave_fiber();
}

static _Noreturn void run_fiber(void) {
    for (;;) {
        run_threads();
        leave_fiber();
    }
}

static _Noreturn void begin_fiber(fiber *f) {
    ucontext_t context;
    f->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f->stack == MAP_FAILED || mprotect(f->stack, GUARD, PROT_NONE))
        emulation_abort("no memory is left");
    getcontext(&context);
    context.uc_stack.ss_sp = f->stack + GUARD;
    context.uc_stack.ss_size = STACK - GUARD;
    makecontext(&context, run_fiber, 0);
    setcontext(&context);
    emulation_abort("a context cannot be set");
}

/* Until it waits or is at its end. */
static void resume(fiber *f) {
    running = f;
    f->waits = false;
    if (_setjmp(scheduler))
        return;
    if (f->stack)
        _longjmp(f->place, 1);
    begin_fiber(f);
}

/* ---- blocks ---- */

static unsigned start_threads(void) {
    unsigned count = 0;
    threads_begun = 0;
    while (threads_begun < threads_of_block) {
        resume(&fibers[count++]);
    }
    return count;
}

/* Once round; returns how many wait again. */
static unsigned resume_all(unsigned count) {
    unsigned waiting = 0;
    for (unsigned i = 0; i < count; i++) {
        become_thread(fibers[i].thread);
        resume(&fibers[i]);
        waiting += fibers[i].waits;
    }
    return waiting;
}

static void spoil_shared_memory(const emulated_shape *shape) {
    memset(shape->shared_begin, NAN_BYTE, (size_t)(shape->shared_end - shape->shared_begin));
}

static void run_block(void) {
    if (running_launch->shape.shared_begin)
        spoil_shared_memory(&running_launch->shape);
    unsigned count = start_threads(), waiting = 0;
    for (unsigned i = 0; i < count; i++)
        waiting += fibers[i].waits;
    while (waiting) {
        if (waiting != threads_of_block)
            emulation_abort("of %u threads of a block %u wait at a barrier, and the others "
                            "are at their end",
                            threads_of_block, waiting);
        waiting = resume_all(count);
    }
}

/* Not in turn: a kernel that is every second one would always run in one order. */
static bool draw_order(void) {
    static unsigned state = 1;
    state = state * 1664525u + 1013904223u;
    return state >> 31;
}

static void run_kernel(void *arguments) {
    kernel_launch *launch = arguments;
    gridDim = launch->shape.grid;
    blockDim = launch->shape.block;
    size_t blocks = (size_t)gridDim.x * gridDim.y * gridDim.z;
    launch->backwards = draw_order();
    running_launch = launch;
    threads_of_block = blockDim.x * blockDim.y * blockDim.z;
    for (size_t i = 0; i < blocks; i++) {
        size_t block = launch->backwards ? blocks - 1 - i : i;
        blockIdx.x = (unsigned)(block % gridDim.x);
        blockIdx.y = (unsigned)(block / gridDim.x % gridDim.y);
        blockIdx.z = (unsigned)(block / gridDim.x / gridDim.y);
        run_block();
    }
}

/* ---- launches ---- */

static void drop_launch(void *arguments) {
    kernel_launch *launch = arguments;
    launch->drop(launch->arguments);
    free(launch);
}

static bool is_allowed(dim3 grid, dim3 block) {
    return grid.x && grid.y && grid.z && block.x && block.y && block.z && grid.x <= 0x7fffffff &&
           grid.y <= MOST_GRID_YZ && grid.z <= MOST_GRID_YZ && block.x <= MOST_THREADS &&
           block.y <= MOST_THREADS && block.z <= 64 &&
           (size_t)block.x * block.y * block.z <= MOST_THREADS;
}

void emulated_launch(const emulated_shape *shape, void (*run)(void *), void (*drop)(void *),
                     void *arguments);
void emulated_check_pointer(const void *memory);

void emulated_launch(const emulated_shape *shape, void (*run)(void *), void (*drop)(void *),
                     void *arguments) {
    enter();
    if (shape->shared || !is_allowed(shape->grid, shape->block)) {
        drop(arguments);
        leave(cudaErrorInvalidConfiguration);
        return;
    }
    count_call(KERNELS);
    kernel_launch *launch = zeroed(sizeof *launch);
    *launch = (kernel_launch){*shape, run, drop, arguments, false};
    leave(put_work(shape->stream, (work){run_kernel, drop_launch, launch}));
}

void emulated_check_pointer(const void *memory) {
    enter();
    if (memory)
        need_device_memory(memory, "a kernel");
    leave(cudaSuccess);
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *kernel) {
    enter();
    attributes->maxThreadsPerBlock = MOST_THREADS;
    return leave(kernel ? cudaSuccess : cudaErrorInvalidValue);
}
