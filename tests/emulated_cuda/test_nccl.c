/* Of the emulated NCCL, by two ranks under mpirun with a device each: it adds up, takes its time
 * where NCCL may, and shows mistakes. Rank 0 prints TAP. */
#include "cuda_runtime.h"
#include "nccl.h"

#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 1000, QUESTIONS = 50 };

static int rank, number, failures;
static float *array;
static cudaStream_t stream;
static cudaEvent_t event;

/* On all ranks at once; it is right where it is so on all of them. */
static void check(int is_right, const char *name) {
    MPI_Allreduce(MPI_IN_PLACE, &is_right, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    number++;
    failures += !is_right;
    if (rank == 0)
        printf("%sok %d - %s\n", is_right ? "" : "not ", number, name);
}

static ncclResult_t state_of(ncclComm_t comm) {
    ncclResult_t state;
    ncclCommGetAsyncError(comm, &state);
    return state;
}

static ncclResult_t settled(ncclComm_t comm) {
    ncclResult_t state;
    while ((state = state_of(comm)) == ncclInProgress)
        ;
    return state;
}

static ncclComm_t begin_comm(int device) {
    ncclComm_t comm;
    ncclUniqueId id;
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    cudaSetDevice(device);
    ncclGetUniqueId(&id);
    return ncclCommInitRankConfig(&comm, 2, id, rank, &config) == ncclInProgress ? comm : NULL;
}

static ncclResult_t start_sum(ncclComm_t comm) {
    return ncclAllReduce(array, array, COUNT, ncclFloat, ncclSum, comm, stream);
}

/* In stream `to`; of rank r array[i] becomes r + 1 + i. */
static void fill(cudaStream_t to) {
    float values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(rank + 1 + i);
    cudaMemcpyAsync(array, values, sizeof values, cudaMemcpyHostToDevice, to);
}

/* Waits for the stream alone. */
static bool is_summed(void) {
    float values[COUNT];
    cudaMemcpyAsync(values, array, sizeof values, cudaMemcpyDeviceToHost, stream);
    for (int i = 0; i < COUNT; i++)
        if (values[i] != (float)(3 + 2 * i))
            return false;
    return true;
}

static bool comes_within(int questions) {
    cudaError_t status = cudaErrorNotReady;
    for (int i = 0; i < questions && status == cudaErrorNotReady; i++)
        status = cudaEventQuery(event);
    cudaGetLastError();
    return status == cudaSuccess;
}

static bool comes_by_asking(void) {
    while (!comes_within(1))
        ;
    return true;
}

static void test_start(void) {
    ncclComm_t comm = begin_comm(0);
    check(comm && settled(comm) == ncclInvalidUsage, "ranks that share a device are refused");
    comm = begin_comm(rank);
    check(start_sum(comm) == ncclInvalidUsage, "nothing can be asked for before the start's end");
    check(settled(comm) == ncclSuccess, "a communicator comes for who asks again");
    check(ncclCommDestroy(comm) == ncclInvalidUsage, "it has to be finalized first");
    ncclCommFinalize(comm);
    check(ncclCommDestroy(comm) == ncclInvalidUsage, "to its end");
    check(settled(comm) == ncclSuccess && ncclCommDestroy(comm) == ncclSuccess, "and can go then");
}

static void test_sums(ncclComm_t comm) {
    bool are_right = true;
    for (int i = 0; i < 4; i++) { /* some begin at once, others later */
        fill(stream);
        start_sum(comm);
        are_right &= settled(comm) == ncclSuccess && is_summed();
    }
    check(are_right, "arrays are added up, and calls that wait do so");
    fill(stream);
    if (rank == 0) {
        start_sum(comm);
        settled(comm);
        cudaEventRecord(event, stream);
    }
    check(rank != 0 || !comes_within(QUESTIONS), "an event does not come while a rank is missing");
    if (rank == 1) {
        start_sum(comm);
        settled(comm);
        cudaEventRecord(event, stream);
    }
    check(comes_by_asking() && is_summed(), "and comes when it is there");
    const float host[1] = {0};
    check(ncclAllReduce(host, array, 1, ncclFloat, ncclSum, comm, stream) == ncclInvalidArgument,
          "memory of the host is refused");
    check(ncclAllReduce(array, array, 1, ncclFloat, ncclSum, comm, NULL) == ncclInvalidUsage,
          "and so is another stream");
}

static bool sum_after_fill(ncclComm_t comm, bool in_order) {
    fill(NULL);
    cudaEventRecord(event, NULL);
    if (in_order)
        cudaStreamWaitEvent(stream, event, 0);
    start_sum(comm);
    settled(comm);
    bool is_right = is_summed();
    cudaDeviceSynchronize();
    return is_right;
}

/* Whether the sum is there after an event that does not wait for the call to settle. */
static bool sum_after_early_event(ncclComm_t comm) {
    float first;
    while (start_sum(comm) != ncclInProgress)
        ;
    fill(stream);
    cudaEventRecord(event, stream);
    settled(comm);
    cudaEventSynchronize(event);
    cudaMemcpyAsync(&first, array, sizeof first, cudaMemcpyDeviceToHost, NULL);
    cudaStreamSynchronize(stream);
    return first == 3;
}

static void test_orders(ncclComm_t comm) {
    check(sum_after_fill(comm, true), "an event orders a sum behind another stream");
    check(!sum_after_fill(comm, false), "that it is missing shows");
    check(!sum_after_early_event(comm),
          "and so does an event that comes before the call is through");
}

/* ---- ranks that do not answer ---- */

static bool waiting_dies(void) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        signal(SIGABRT, SIG_DFL);
        cudaStreamSynchronize(stream);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

static void test_failures(ncclComm_t comm) {
    float *other;
    cudaMalloc((void **)&other, sizeof *other);
    fill(stream);
    start_sum(comm);
    settled(comm);
    cudaEventRecord(event, stream);
    cudaMemsetAsync(other, 0, sizeof *other, NULL);
    setenv("EMULATED_NCCL", "silent", 1);
    check(!comes_within(QUESTIONS) && state_of(comm) == ncclSuccess, "ranks may be silent");
    check(waiting_dies(), "who waits for them without a limit is told");
    check(cudaStreamSynchronize(NULL) == cudaSuccess, "but not who waits for something else");
    setenv("EMULATED_NCCL", "lost", 1);
    check(!comes_within(QUESTIONS) && state_of(comm) == ncclRemoteError, "a rank may be lost");
    setenv("EMULATED_NCCL", "watched", 1);
    check(waiting_dies(), "who would do so is told");
    unsetenv("EMULATED_NCCL");
    check(comes_by_asking() && is_summed(), "and without all that the sum comes");
    cudaFree(other);
}

int main(int argc, char **argv) {
    int threads;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &threads);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    cudaMalloc((void **)&array, COUNT * sizeof *array);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    test_start();
    ncclComm_t comm = begin_comm(rank);
    settled(comm);
    test_sums(comm);
    test_orders(comm);
    test_failures(comm);
    ncclCommFinalize(comm);
    settled(comm);
    ncclCommDestroy(comm);
    if (rank == 0)
        printf("1..%d\n", number);
    MPI_Finalize();
    return failures > 0;
}
