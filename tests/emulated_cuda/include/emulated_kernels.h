/* What nvcc knows of kernels, in C++: the script nvcc of the emulation turns each launch,
 * kernel<<<shape>>>(arguments), into emulated::launch(kernel, shape)(arguments). */
#ifndef EMULATED_KERNELS_H
#define EMULATED_KERNELS_H

#include <algorithm>
#include <cmath>
#include <tuple>

#define __global__
#define __device__ __attribute__((unused))
#define __host__
#define __forceinline__ inline
/* Blocks run one after the other; all of a program's is in one place, to be spoiled before each. */
#define __shared__ static __attribute__((section("emulated_shared")))
#define __restrict__
#define __launch_bounds__(...)
#define __syncthreads() emulated_barrier()

using std::max;
using std::min;

struct float3 {
    float x, y, z;
};

inline float3 make_float3(float x, float y, float z) {
    return {x, y, z};
}

extern "C" {
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

/* Returns when all threads of the block have come here. */
void emulated_barrier(void);

typedef struct {
    dim3 grid, block;
    size_t shared; /* bytes beside the kernel's own */
    cudaStream_t stream;
    char *shared_begin, *shared_end; /* the memory that blocks of this program share */
} emulated_shape;

/* run(arguments) once for each thread of the grid, in order in the stream, and then, or when a
 * graph that has the launch is gone, drop(arguments). */
void emulated_launch(const emulated_shape *shape, void (*run)(void *arguments),
                     void (*drop)(void *arguments), void *arguments);

/* Ends the program where a kernel's argument points to memory that a card does not see. */
void emulated_check_pointer(const void *memory);

/* The linker's; not there where no kernel has shared memory. */
extern char __start_emulated_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emulated_shared[] __attribute__((weak, visibility("hidden")));
}

/* Threads take turns, so nothing comes in between. */
template <class number> number atomicAdd(number *at, number value) {
    number before = *at;
    *at += value;
    return before;
}

template <class number> number atomicMax(number *at, number value) {
    number before = *at;
    if (value > before)
        *at = value;
    return before;
}

template <class number> number __ldg(const number *at) {
    return *at;
}

namespace emulated {

template <class... parameters> struct launcher {
    typedef void (*kernel_type)(parameters...);
    static_assert((sizeof(parameters) + ... + 0) <= 4096, "a card takes no more");
    kernel_type kernel;
    emulated_shape shape;

    struct call {
        kernel_type kernel;
        std::tuple<parameters...> arguments;
    };

    static void run(void *pointer) {
        call *c = static_cast<call *>(pointer);
        std::apply(c->kernel, c->arguments);
    }

    static void drop(void *pointer) {
        delete static_cast<call *>(pointer);
    }

    template <class other> static void check(const other &) {}

    template <class pointed> static void check(pointed *const &pointer) {
        emulated_check_pointer(pointer);
    }

    void operator()(parameters... arguments) {
        (check(arguments), ...);
        call *c = new call{kernel, std::tuple<parameters...>(arguments...)};
        emulated_launch(&shape, run, drop, c);
    }
};

template <class... parameters>
launcher<parameters...> launch(void (*kernel)(parameters...), dim3 grid, dim3 block,
                               size_t shared = 0, cudaStream_t stream = nullptr) {
    return {kernel, {grid, block, shared, stream, __start_emulated_shared, __stop_emulated_shared}};
}

} // namespace emulated

#endif
