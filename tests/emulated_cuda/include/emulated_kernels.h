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
#define __shared__ static /* blocks run one after the other */
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

/* run(arguments) once for each thread of the grid, in order in the stream, and then, or when a
 * graph that has the launch is gone, drop(arguments). */
void emulated_launch(dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                     void (*run)(void *arguments), void (*drop)(void *arguments), void *arguments);
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
    kernel_type kernel;
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;

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

    void operator()(parameters... arguments) {
        call *c = new call{kernel, std::tuple<parameters...>(arguments...)};
        emulated_launch(grid, block, shared, stream, run, drop, c);
    }
};

template <class... parameters>
launcher<parameters...> launch(void (*kernel)(parameters...), dim3 grid, dim3 block,
                               size_t shared = 0, cudaStream_t stream = nullptr) {
    return {kernel, grid, block, shared, stream};
}

} // namespace emulated

#endif
