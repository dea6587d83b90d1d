/* Of the emulated CUDA: it does what CUDA does where that is said, and what would be an error on a
 * card, or come out wrong there by chance, is one here. Prints TAP. */
#include "cuda_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

static int number, failures;

static void check(bool is_right, const char *name) {
    printf("%sok %d - %s\n", is_right ? "" : "not ", ++number, name);
    failures += !is_right;
}

/* Whether the call ends the program by a signal; in a process of its own, which says why. */
static bool dies(void (*call)(void)) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        call();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

static float *new_array(int count) {
    void *memory = NULL;
    cudaMalloc(&memory, (size_t)count * sizeof(float));
    return (float *)memory;
}

static float *new_pinned(int count) {
    void *memory = NULL;
    cudaMallocHost(&memory, (size_t)count * sizeof(float));
    return (float *)memory;
}

static float first_of(const float *array) {
    float value;
    cudaMemcpy(&value, array, sizeof value, cudaMemcpyDeviceToHost);
    return value;
}

static __global__ void set_kernel(float *array, int at, float value) {
    array[at] = value;
}

static __global__ void add_kernel(float *array, float value) {
    array[0] += value;
}

static __global__ void copy_kernel(float *to, const float *from) {
    to[0] = from[0];
}

/* ---- memory ---- */

static void touch_from_the_host(void) {
    new_array(4)[0] = 1;
}

static void write_behind(void) {
    float *array = new_array(1024);
    set_kernel<<<1, 1>>>(array, 1024, 1);
    cudaDeviceSynchronize();
}

static void write_into_the_rest(void) {
    float *array = new_array(3); /* up to 64 are in its last bytes */
    set_kernel<<<1, 1>>>(array, 3, 1);
    cudaFree(array);
}

static void write_before(void) {
    float *array = new_array(3);
    set_kernel<<<1, 1>>>(array, -1, 1);
    cudaFree(array);
}

static void give_a_kernel_the_hosts(void) {
    float host[1] = {0};
    set_kernel<<<1, 1>>>(host, 0, 1);
    cudaDeviceSynchronize();
}

static void write_after_free(void) {
    float *array = new_array(1024);
    cudaFree(array);
    set_kernel<<<1, 1>>>(array, 0, 1);
    cudaDeviceSynchronize();
}

static void test_memory(void) {
    float host[4] = {1, 2, 3, 4}, *array = new_array(4);
    check(isnan(first_of(array)), "a new array has NaNs");
    check(dies(touch_from_the_host), "the host cannot touch it");
    check(dies(write_behind), "a kernel cannot write behind it");
    check(dies(write_into_the_rest), "nor into what its alignment leaves");
    check(dies(write_before), "nor before it");
    check(dies(write_after_free), "nor when it is freed");
    check(dies(give_a_kernel_the_hosts), "nor can it touch the host's");
    check(cudaMemcpy(array, host, sizeof host, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue,
          "a copy in the wrong direction is refused");
    check(cudaMemcpy(array, host, 20, cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
          "and one that is too long");
    check(cudaGetLastError() == cudaErrorInvalidValue && cudaGetLastError() == cudaSuccess,
          "the last error is kept until it is asked for");
    cudaFree(array);
}

/* ---- streams ---- */

/* What is in the array if the host writes 2 where 1 was to be copied from, on its way or after. */
static float after_reuse(bool waits, float *pinned, cudaStream_t stream) {
    float *array = new_array(1);
    cudaEvent_t event;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    pinned[0] = 1;
    cudaMemcpyAsync(array, pinned, sizeof(float), cudaMemcpyHostToDevice, stream);
    cudaEventRecord(event, stream);
    if (waits)
        cudaEventSynchronize(event);
    pinned[0] = 2;
    cudaStreamSynchronize(stream);
    float value = first_of(array);
    cudaEventDestroy(event);
    cudaFree(array);
    return value;
}

/* What the later stream has read of what the earlier one writes. */
static float read_by_other_stream(cudaStream_t earlier, cudaStream_t later, bool in_order) {
    float *written = new_array(1), *read = new_array(1);
    cudaEvent_t event;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    set_kernel<<<1, 1, 0, earlier>>>(written, 0, 7);
    if (in_order) {
        cudaEventRecord(event, earlier);
        cudaStreamWaitEvent(later, event, 0);
    }
    copy_kernel<<<1, 1, 0, later>>>(read, written);
    cudaStreamSynchronize(later);
    float value = first_of(read);
    cudaDeviceSynchronize();
    cudaEventDestroy(event);
    cudaFree(written);
    cudaFree(read);
    return value;
}

static bool comes_by_asking(cudaStream_t stream) {
    float *array = new_array(1);
    cudaEvent_t event;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    set_kernel<<<1, 1, 0, stream>>>(array, 0, 1);
    add_kernel<<<1, 1, 0, stream>>>(array, 1);
    cudaEventRecord(event, stream);
    bool was_early = cudaEventQuery(event) == cudaErrorNotReady;
    cudaGetLastError();
    while (cudaEventQuery(event) != cudaSuccess)
        ;
    cudaGetLastError();
    bool is_there = first_of(array) == 2;
    cudaEventDestroy(event);
    cudaFree(array);
    return was_early && is_there;
}

/* With EMULATED_PACE=slow. */
static bool comes_by_waiting_alone(cudaStream_t stream) {
    float *array = new_array(1);
    cudaEvent_t event;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    set_kernel<<<1, 1, 0, stream>>>(array, 0, 1);
    cudaEventRecord(event, stream);
    bool comes = false;
    for (int i = 0; i < 10; i++)
        comes |= cudaEventQuery(event) != cudaErrorNotReady;
    cudaGetLastError();
    cudaEventSynchronize(event);
    bool is_there = cudaEventQuery(event) == cudaSuccess && first_of(array) == 1;
    cudaEventDestroy(event);
    cudaFree(array);
    return !comes && is_there;
}

static void test_paces(cudaStream_t stream, float *pinned) {
    setenv("EMULATED_PACE", "early", 1);
    check(after_reuse(false, pinned, stream) == 1, "work can be done at once");
    check(read_by_other_stream(stream, NULL, false) == 7, "in the order in which it comes");
    setenv("EMULATED_PACE", "ahead", 1);
    check(after_reuse(false, pinned, stream) == 1 && after_reuse(false, pinned, NULL) == 2,
          "or that of other streams than the default one");
    check(isnan(read_by_other_stream(NULL, stream, false)), "which does not come in order then");
    setenv("EMULATED_PACE", "slow", 1);
    check(comes_by_waiting_alone(stream), "or only for who waits");
    unsetenv("EMULATED_PACE");
}

static void test_streams(void) {
    cudaStream_t blocking, other;
    float *pinned = new_pinned(1);
    cudaStreamCreate(&blocking);
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    check(after_reuse(true, pinned, other) == 1, "pinned memory may be written after an event");
    check(after_reuse(false, pinned, other) == 2, "and not before");
    float pageable[1];
    check(after_reuse(false, pageable, other) == 1, "pageable memory may at once");
    check(read_by_other_stream(other, NULL, true) == 7, "an event orders streams");
    check(isnan(read_by_other_stream(other, NULL, false)), "without one they are in no order");
    check(read_by_other_stream(blocking, NULL, false) == 7, "but the default stream waits");
    check(read_by_other_stream(NULL, blocking, false) == 7, "and is waited for");
    check(comes_by_asking(other), "an event comes for who asks again");
    test_paces(other, pinned);
    cudaStreamDestroy(blocking);
    cudaStreamDestroy(other);
    cudaFreeHost(pinned);
}

/* ---- kernels ---- */

enum { THREADS = 128 };

/* Each block's sum of its threads' numbers, by a tree. */
static __global__ void sum_kernel(float *sums) {
    __shared__ float part[THREADS];
    part[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        sums[blockIdx.x + gridDim.x * blockIdx.y] = part[0];
}

/* Nobody writes what it reads. */
static __global__ void unwritten_kernel(float *read) {
    __shared__ float part[1];
    read[0] = part[0];
    part[0] = 1;
}

static bool shared_memory_is_new(void) {
    float *read = new_array(1);
    unwritten_kernel<<<3, 1>>>(read);
    bool is_new = isnan(first_of(read));
    cudaFree(read);
    return is_new;
}

/* Lacks the barrier. */
static __global__ void neighbour_kernel(float *read) {
    __shared__ float part[THREADS];
    part[threadIdx.x] = threadIdx.x + gridDim.x;
    if (threadIdx.x == THREADS / 2)
        read[0] = part[THREADS / 2 - 1] + part[THREADS / 2 + 1];
}

static __global__ void split_kernel(void) {
    if (threadIdx.x)
        __syncthreads();
}

static void launch_split(void) {
    split_kernel<<<1, 2>>>();
    cudaDeviceSynchronize();
}

static bool sums_are_right(void) {
    float sums[6], *array = new_array(6);
    sum_kernel<<<dim3(3, 2), THREADS>>>(array);
    cudaMemcpy(sums, array, sizeof sums, cudaMemcpyDeviceToHost);
    cudaFree(array);
    for (float sum : sums)
        if (sum != THREADS * (THREADS - 1) / 2)
            return false;
    return true;
}

static bool lacks_a_barrier(void) {
    float *read = new_array(1), first, second;
    neighbour_kernel<<<1, THREADS>>>(read);
    first = first_of(read);
    neighbour_kernel<<<2, THREADS>>>(read);
    second = first_of(read);
    cudaFree(read);
    return second - first != 2;
}

static bool is_too_large(dim3 grid, dim3 block) {
    split_kernel<<<grid, block>>>();
    return cudaGetLastError() == cudaErrorInvalidConfiguration;
}

static void test_kernels(void) {
    check(sums_are_right(), "threads of a block wait for each other");
    check(shared_memory_is_new(), "what a block shares is not another's");
    check(lacks_a_barrier(), "a barrier that is missing shows");
    check(dies(launch_split), "one that not all threads come to is an error");
    check(is_too_large(1, 1025) && is_too_large(0, 1) && is_too_large(dim3(1, 65536), 1),
          "launches that no card can do are refused");
}

/* ---- graphs ---- */

static cudaError_t capture_with(void (*call)(cudaStream_t), cudaStream_t stream,
                                cudaGraph_t *graph) {
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    call(stream);
    cudaError_t status = cudaStreamEndCapture(stream, graph);
    cudaGetLastError();
    return status;
}

static float *graph_array;

static void add_twice(cudaStream_t stream) {
    add_kernel<<<1, 1, 0, stream>>>(graph_array, 1);
    add_kernel<<<1, 1, 0, stream>>>(graph_array, 1);
}

static void add_in_default_stream(cudaStream_t) {
    add_kernel<<<1, 1>>>(graph_array, 1);
}

static void synchronize(cudaStream_t) {
    cudaDeviceSynchronize();
}

static void allocate(cudaStream_t) {
    new_array(1);
}

static void test_graphs(void) {
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    graph_array = new_array(1);
    cudaMemset(graph_array, 0, sizeof(float));
    cudaStreamCreate(&stream);
    check(capture_with(add_twice, stream, &graph) == cudaSuccess, "a graph is captured");
    check(first_of(graph_array) == 0, "which does nothing yet");
    cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    cudaGraphLaunch(executable, 0);
    cudaGraphLaunch(executable, 0);
    check(first_of(graph_array) == 4, "it can be launched twice");
    cudaGraphExecDestroy(executable);
    const cudaError_t invalid = cudaErrorStreamCaptureInvalidated;
    check(capture_with(add_in_default_stream, stream, &graph) == invalid,
          "what goes to the default stream meanwhile is an error");
    check(capture_with(synchronize, stream, &graph) == invalid, "and so is to wait");
    check(capture_with(allocate, stream, &graph) == invalid, "and to allocate");
    check(first_of(graph_array) == 4, "and nothing of it is done");
    cudaStreamDestroy(stream);
    cudaFree(graph_array);
}

int main(void) {
    test_memory();
    test_streams();
    test_kernels();
    test_graphs();
    printf("1..%d\n", number);
    return failures > 0;
}
