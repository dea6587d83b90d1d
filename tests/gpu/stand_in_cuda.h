/* A stand-in for the part of CUDA, its libraries and NCCL that sums over ranks, graphs and updates
 * use: device memory is the host's, and what is put into a stream is done later, at a random moment
 * that the order of streams and events allows. So what lacks an order comes out wrong. Linked
 * before CUDA's own functions, of one name; one thread. */
#ifndef STAND_IN_CUDA_H
#define STAND_IN_CUDA_H

#include "cuda_on_cpu.h"

#include "array_list_blocks.h"
#include "fail.h"
#include "gpu_status.h"
#include "gpu_stream.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STREAMS = 4, MOST_WAITING = 4096, CARDS = 4 };

typedef struct {
    int recorded, done;
} stand_in_event;

typedef struct {
    void (*run)(const void *arguments);
    stand_in_event *event; /* what it marks or waits for; NULL: neither */
    int number;            /* of the event's records */
    bool waits;
    char arguments[sizeof(flat_pass) + 64];
} stand_in_work;

typedef struct {
    stand_in_work work[MOST_WAITING];
    int begun, count;
} stand_in_stream;

static stand_in_stream streams[MOST_STREAMS]; /* the first one is the default one */
static int stream_count = 1;
static stand_in_stream *capturing; /* the one whose work goes into a graph; NULL: none */
static stand_in_stream *graph;     /* that graph */
static int the_card;
static bool cards_are_shared;           /* all ranks see the same one */
static bool peers_are_silent;           /* sums of NCCL's never end */
static void (*slow_work)(const void *); /* is done only while the host waits without a limit */
static bool host_waits;

static stand_in_stream *stream_of(cudaStream_t stream) {
    return stream ? (stand_in_stream *)stream : &streams[0];
}

static stand_in_work *put_work(cudaStream_t stream, void (*run)(const void *),
                               const void *arguments, size_t size) {
    stand_in_stream *s = stream_of(stream);
    if (capturing && s == &streams[0])
        fail("something is launched in the default stream while a step is captured");
    if (capturing && s == capturing)
        s = graph;
    if (s->count == MOST_WAITING)
        fail("the stand-in's stream is full");
    stand_in_work *work = &s->work[s->count++];
    *work = (stand_in_work){.run = run};
    if (size > sizeof work->arguments)
        fail("%zu bytes are too many for the stand-in", size);
    memcpy(work->arguments, arguments, size);
    return work;
}

static void run_sum(const void *arguments);

/* Does the stream's next work, if there is some that may be done. */
static bool advance(stand_in_stream *s) {
    if (s->begun == s->count) {
        s->begun = s->count = 0;
        return false;
    }
    stand_in_work *work = &s->work[s->begun];
    if ((work->waits && work->event->done < work->number) ||
        (peers_are_silent && work->run == run_sum) ||
        (slow_work && !host_waits && work->run == slow_work))
        return false;
    s->begun++;
    if (work->run)
        work->run(work->arguments);
    if (work->event && !work->waits)
        work->event->done = work->number;
    return true;
}

static void advance_some(void) {
    for (int i = rand() % 4; i > 0; i--)
        advance(&streams[rand() % stream_count]);
}

static void advance_until_empty(const stand_in_stream *s) {
    host_waits = true;
    while (s->begun < s->count) {
        bool any = false;
        for (int i = 0; i < stream_count; i++)
            any |= advance(&streams[i]);
        if (!any)
            fail("the streams wait for each other");
    }
    host_waits = false;
}

static bool waits_for_another(const stand_in_stream *s) {
    for (int i = s->begun; i < s->count; i++)
        if (s->work[i].waits && s->work[i].event->done < s->work[i].number)
            return true;
    return false;
}

/* ---- CUDA ---- */

cudaError_t cudaMalloc(void **memory, size_t size) {
    *memory = malloc(size ? size : 1);
    memset(*memory, 0x7f, size); /* no zeros */
    return cudaSuccess;
}
cudaError_t cudaFree(void *memory) {
    free(memory);
    return cudaSuccess;
}
cudaError_t cudaMallocHost(void **memory, size_t size) {
    return cudaMalloc(memory, size);
}
cudaError_t cudaHostAlloc(void **memory, size_t size, unsigned flags) {
    (void)flags;
    return cudaMalloc(memory, size);
}
cudaError_t cudaFreeHost(void *memory) {
    return cudaFree(memory);
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *memory) {
    (void)memory;
    attributes->type = cudaMemoryTypeHost;
    return cudaSuccess;
}
cudaError_t cudaGetLastError(void) {
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *count) {
    *count = CARDS;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int card) {
    the_card = card;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int *card) {
    *card = the_card;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int card) {
    memset(properties, 0, sizeof *properties);
    properties->uuid.bytes[0] = (char)(cards_are_shared ? 1 : card + 1);
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
    if (flags != cudaStreamNonBlocking || stream_count == MOST_STREAMS)
        fail("the stand-in has no such stream");
    *stream = (cudaStream_t)&streams[stream_count++];
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    (void)stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    advance_until_empty(stream_of(stream));
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize(void) {
    for (int i = 0; i < stream_count; i++)
        advance_until_empty(&streams[i]);
    return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
    (void)flags;
    *event = allocate(1, sizeof(stand_in_event));
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    free(event);
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    stand_in_work *work = put_work(stream, NULL, "", 0);
    work->event = (stand_in_event *)event;
    work->number = ++work->event->recorded;
    advance_some();
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
    (void)flags;
    stand_in_work *work = put_work(stream, NULL, "", 0);
    work->event = (stand_in_event *)event;
    work->number = work->event->recorded;
    work->waits = true;
    return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
    const stand_in_event *e = (const stand_in_event *)event;
    advance_some();
    return e->done == e->recorded ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    host_waits = true;
    while (cudaEventQuery(event) != cudaSuccess)
        ;
    host_waits = false;
    return cudaSuccess;
}

typedef struct {
    void *to;
    const void *from;
    size_t size;
} stand_in_copy;

static void run_copy(const void *arguments) {
    const stand_in_copy *copy = arguments;
    memcpy(copy->to, copy->from, copy->size);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind kind,
                            cudaStream_t stream) {
    (void)kind;
    stand_in_copy copy = {to, from, size};
    put_work(stream, run_copy, &copy, sizeof copy);
    advance_some();
    return cudaSuccess;
}
typedef struct {
    void *to;
    int value;
    size_t size;
} stand_in_bytes;

static void run_set(const void *arguments) {
    const stand_in_bytes *bytes = arguments;
    memset(bytes->to, bytes->value, bytes->size);
}
cudaError_t cudaMemsetAsync(void *to, int value, size_t size, cudaStream_t stream) {
    stand_in_bytes bytes = {to, value, size};
    put_work(stream, run_set, &bytes, sizeof bytes);
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind) {
    if (waits_for_another(&streams[0]))
        fail("the host would wait for sums without a limit");
    cudaMemcpyAsync(to, from, size, kind, 0);
    return cudaStreamSynchronize(0);
}
cudaError_t cudaMemset(void *to, int value, size_t size) {
    cudaMemsetAsync(to, value, size, 0);
    return cudaStreamSynchronize(0);
}

/* ---- kernels ---- */

static void run_flat(const flat_pass *p, bool gathers) {
    for (int i = 0; i < p->count; i++) {
        placed_array a = p->arrays[i];
        for (size_t k = 0; k < a.count && p->first_blocks[i] >= p->first_block; k++)
            if (gathers)
                p->flat[a.at + k] = a.floats[k];
            else
                a.floats[k] = p->flat[a.at + k] / a.divisor;
    }
}

/* Of as many arrays as the launch has blocks. */
typedef struct {
    flat_pass pass;
    unsigned blocks;
} flat_launch;

static flat_pass cut(const flat_launch *launch) {
    flat_pass pass = launch->pass;
    while (pass.count && pass.first_blocks[pass.count - 1] >= pass.first_block + launch->blocks)
        pass.count--;
    return pass;
}
static void run_gather(const void *arguments) {
    flat_pass pass = cut(arguments);
    run_flat(&pass, true);
}
static void run_scatter(const void *arguments) {
    flat_pass pass = cut(arguments);
    run_flat(&pass, false);
}
cudaError_t launch_gather_arrays(const flat_pass *pass, unsigned blocks) {
    flat_launch launch = {*pass, blocks};
    put_work(gpu_stream(), run_gather, &launch, sizeof launch);
    return cudaSuccess;
}
cudaError_t launch_scatter_arrays(const flat_pass *pass, unsigned blocks) {
    flat_launch launch = {*pass, blocks};
    put_work(gpu_stream(), run_scatter, &launch, sizeof launch);
    return cudaSuccess;
}
typedef struct {
    clear_pass pass;
    unsigned blocks;
} clear_launch;

static void clear_kernel(void *pass) {
    clear_arrays_kernel(*(clear_pass *)pass);
}
static void run_clear(const void *arguments) {
    clear_launch launch = *(const clear_launch *)arguments;
    run_on_cpu(clear_kernel, &launch.pass, (int)launch.blocks, 1);
}
cudaError_t launch_clear_arrays(const clear_pass *pass, unsigned blocks) {
    clear_launch launch = {*pass, blocks};
    put_work(gpu_stream(), run_clear, &launch, sizeof launch);
    return cudaSuccess;
}
cudaError_t load_array_kernels(void) {
    return cudaSuccess;
}

/* ---- updates ---- */

typedef struct {
    update_pass pass;
    unsigned blocks;
} update_launch;

static void update_kernel(void *pass) {
    update_arrays_kernel(*(update_pass *)pass);
}
static void check_kernel(void *pass) {
    check_gradients_kernel(*(update_pass *)pass);
}
static void run_update(const void *arguments) {
    update_launch launch = *(const update_launch *)arguments;
    run_on_cpu(update_kernel, &launch.pass, (int)launch.blocks, 1);
}
static void run_check(const void *arguments) {
    update_launch launch = *(const update_launch *)arguments;
    run_on_cpu(check_kernel, &launch.pass, (int)launch.blocks, 1);
}
static void run_step_of_scale(const void *arguments) {
    step_loss_scale_kernel(*(loss_scale *const *)arguments);
}
static void run_numbers(const void *arguments) {
    set_update_numbers_kernel(*(const numbers_pass *)arguments);
}
cudaError_t launch_update_arrays(const update_pass *pass, unsigned blocks) {
    update_launch launch = {*pass, blocks};
    put_work(gpu_stream(), run_update, &launch, sizeof launch);
    return cudaSuccess;
}
cudaError_t launch_check_gradients(const update_pass *pass, unsigned blocks) {
    update_launch launch = {*pass, blocks};
    put_work(gpu_stream(), run_check, &launch, sizeof launch);
    return cudaSuccess;
}
cudaError_t launch_step_loss_scale(loss_scale *scale) {
    put_work(gpu_stream(), run_step_of_scale, &scale, sizeof scale);
    return cudaSuccess;
}
cudaError_t launch_set_update_numbers(const numbers_pass *pass) {
    put_work(gpu_stream(), run_numbers, pass, sizeof *pass);
    return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
    return cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
    (void)mode;
    if (capturing || !stream)
        fail("this stream cannot be captured");
    capturing = stream_of(stream);
    graph = allocate(1, sizeof *graph);
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *to) {
    if (stream_of(stream) != capturing)
        fail("another stream is captured");
    capturing = NULL;
    *to = (cudaGraph_t)graph;
    return cudaSuccess;
}
/* Of a graph that is of use to the executable one alone, and goes with it. */
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t of,
                                 unsigned long long flags) {
    (void)flags;
    *executable = (cudaGraphExec_t)of;
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t of) {
    (void)of;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    free(executable);
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    const stand_in_stream *from = (const stand_in_stream *)executable;
    for (int i = 0; i < from->count; i++)
        put_work(stream, from->work[i].run, from->work[i].arguments,
                 sizeof from->work[i].arguments);
    advance_some();
    return cudaSuccess;
}

/* ---- libraries, which compute nothing ---- */

cublasStatus_t cublasCreate(cublasHandle_t *handle) {
    *handle = NULL;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    (void)handle, (void)stream;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t size) {
    (void)handle, (void)workspace, (void)size;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    (void)handle, (void)mode;
    return CUBLAS_STATUS_SUCCESS;
}
#ifdef CUDNN
cudnnStatus_t cudnnCreate(cudnnHandle_t *handle) {
    *handle = NULL;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    (void)handle, (void)stream;
    return CUDNN_STATUS_SUCCESS;
}
#endif

/* ---- NCCL ---- */

typedef struct {
    float *values;
    int count;
} stand_in_sum;

static void run_sum(const void *arguments) {
    const stand_in_sum *sum = arguments;
    MPI_Allreduce(MPI_IN_PLACE, sum->values, sum->count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

#ifdef DLB_NCCL
static int questions;                           /* that NCCL still answers with "in progress" */
static ncclResult_t answer_after = ncclSuccess; /* and what it says then */

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    memset(id->internal, 1, sizeof id->internal);
    return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int count, ncclUniqueId id, int rank,
                                    ncclConfig_t *config) {
    int size, own;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    if (count != size || rank != own || id.internal[9] != 1 || config->blocking != 0)
        fail("NCCL is started for rank %d of %d", rank, count);
    *comm = (ncclComm_t)&questions;
    questions = 3;
    return ncclInProgress;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *state) {
    (void)comm;
    *state = questions > 0 ? ncclInProgress : answer_after;
    questions -= questions > 0;
    return ncclSuccess;
}
ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t type,
                           ncclRedOp_t how, ncclComm_t comm, cudaStream_t stream) {
    (void)comm;
    if (questions || from != to || type != ncclFloat || how != ncclSum)
        fail("NCCL is asked for something else");
    stand_in_sum sum = {to, (int)count};
    put_work(stream, run_sum, &sum, sizeof sum);
    questions = rand() % 3;
    return questions ? ncclInProgress : ncclSuccess;
}
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    (void)comm;
    questions = 2;
    return ncclInProgress;
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    (void)comm;
    return questions ? ncclInvalidUsage : ncclSuccess;
}
#endif

#endif
