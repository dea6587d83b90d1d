/* NCCL, by MPI. */
#include "nccl.h"
#include "emulation.h"

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAN_BYTE = 0xff };

typedef struct {
    ncclComm_t comm;
    const float *from;
    float *to,
        *values; /* `values` on the host: MPI touches them while the device's memory is shut */
    size_t count;
    MPI_Request request;
} rank_sum;

typedef enum { STARTING, READY, FINALIZED } comm_phase;

struct ncclComm {
    MPI_Comm ranks; /* of its own, so that its messages are not the program's */
    MPI_Request starting[2];
    int device, *devices; /* (count), of all ranks */
    int count;
    comm_phase phase;
    int questions;       /* that are still answered with ncclInProgress */
    unsigned calls;      /* that have begun something */
    rank_sum *asked_for; /* and is not in its stream yet, or NULL */
    cudaStream_t stream;
    bool has_stream;
};

/* Whether EMULATED_NCCL says so. */
static bool nccl_is(const char *how) {
    const char *text = getenv("EMULATED_NCCL");
    return text && !strcmp(text, how);
}

static bool peers_answer(void) {
    return !nccl_is("silent") && !nccl_is("lost");
}

/* ---- errors ---- */

const char *ncclGetErrorString(ncclResult_t status) {
    switch (status) {
    case ncclSuccess:
        return "no error";
    case ncclInProgress:
        return "in progress";
    case ncclRemoteError:
        return "a remote process is gone";
    case ncclInvalidArgument:
        return "an invalid argument";
    case ncclInvalidUsage:
        return "an invalid usage";
    default:
        return "an error of CUDA";
    }
}

const char *ncclGetLastError(ncclComm_t comm) {
    (void)comm;
    return "of the emulation";
}

/* ---- the start ---- */

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    memset(id, 0, sizeof *id);
    snprintf(id->internal, sizeof id->internal, "emulated NCCL");
    return ncclSuccess;
}

static bool is_id(const ncclUniqueId *id) {
    ncclUniqueId right;
    ncclGetUniqueId(&right);
    return !memcmp(id, &right, sizeof right);
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int count, ncclUniqueId id, int rank,
                                    ncclConfig_t *config) {
    int ranks, own;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    if (count != ranks || rank != own || !is_id(&id) || config->blocking)
        return ncclInvalidArgument;
    ncclComm_t c = zeroed(sizeof *c);
    c->count = count;
    c->devices = zeroed((size_t)count * sizeof *c->devices);
    c->questions = 2;
    cudaGetDevice(&c->device);
    MPI_Comm_idup(MPI_COMM_WORLD, &c->ranks, &c->starting[0]);
    MPI_Iallgather(&c->device, 1, MPI_INT, c->devices, 1, MPI_INT, MPI_COMM_WORLD, &c->starting[1]);
    *comm = c;
    return ncclInProgress;
}

static bool devices_differ(ncclComm_t comm) {
    for (int i = 0; i < comm->count; i++)
        for (int k = 0; k < i; k++)
            if (comm->devices[i] == comm->devices[k])
                return false;
    return true;
}

static ncclResult_t end_start(ncclComm_t comm) {
    int all_there = 0;
    MPI_Testall(2, comm->starting, &all_there, MPI_STATUSES_IGNORE);
    if (!all_there)
        return ncclInProgress;
    if (!devices_differ(comm))
        return ncclInvalidUsage;
    comm->phase = READY;
    return ncclSuccess;
}

/* ---- sums ---- */

/* Until the sum is there, its array has NaNs. */
static void begin_sum(void *arguments) {
    rank_sum *s = arguments;
    size_t bytes = s->count * sizeof *s->values;
    s->values = zeroed(bytes);
    memcpy(s->values, s->from, bytes);
    memset(s->to, NAN_BYTE, bytes);
    MPI_Iallreduce(MPI_IN_PLACE, s->values, (int)s->count, MPI_FLOAT, MPI_SUM, s->comm->ranks,
                   &s->request);
}

static bool sum_is_done(void *arguments, bool host_waits) {
    rank_sum *s = arguments;
    int is_done = 0;
    if (host_waits && (!peers_answer() || nccl_is("watched")))
        emulation_abort("the host would wait for ever for ranks that do not answer");
    if (peers_answer())
        MPI_Test(&s->request, &is_done, MPI_STATUS_IGNORE);
    if (is_done)
        memcpy(s->to, s->values, s->count * sizeof *s->values);
    return is_done;
}

static void drop_sum(void *arguments) {
    rank_sum *s = arguments;
    free(s->values);
    free(s);
}

static ncclResult_t put_sum(ncclComm_t comm) {
    work w = {begin_sum, drop_sum, comm->asked_for, sum_is_done};
    comm->asked_for = NULL;
    enter();
    return leave(put_work(comm->stream, w)) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

static bool is_on_device(const void *memory, size_t bytes) {
    bool valid;
    enter();
    bool is_there = kind_of_memory(memory, bytes, &valid) == ON_DEVICE && valid;
    leave(cudaSuccess);
    return is_there;
}

static bool may_begin(ncclComm_t comm) {
    return comm->phase == READY && !comm->questions && !comm->asked_for;
}

ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t type,
                           ncclRedOp_t how, ncclComm_t comm, cudaStream_t stream) {
    size_t bytes = count * sizeof(float);
    if (!may_begin(comm) || (comm->has_stream && comm->stream != stream))
        return ncclInvalidUsage;
    if (type != ncclFloat || how != ncclSum || count > INT32_MAX || !is_on_device(from, bytes) ||
        !is_on_device(to, bytes))
        return ncclInvalidArgument;
    comm->stream = stream;
    comm->has_stream = true;
    comm->asked_for = zeroed(sizeof *comm->asked_for);
    *comm->asked_for = (rank_sum){.comm = comm, .from = from, .to = to, .count = count};
    comm->questions = (int)(++comm->calls % 3);
    return comm->questions ? ncclInProgress : put_sum(comm);
}

/* ---- what becomes of a call, and the end ---- */

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *state) {
    *state = ncclSuccess;
    if (nccl_is("lost"))
        *state = ncclRemoteError;
    else if (comm->questions > 0 && comm->questions--)
        *state = ncclInProgress;
    else if (comm->phase == STARTING)
        *state = peers_answer() ? end_start(comm) : ncclInProgress;
    else if (comm->asked_for)
        *state = put_sum(comm);
    return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    if (!may_begin(comm))
        return ncclInvalidUsage;
    comm->phase = FINALIZED;
    comm->questions = 2;
    return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    if (comm->phase != FINALIZED || comm->questions)
        return ncclInvalidUsage;
    MPI_Comm_free(&comm->ranks);
    free(comm->devices);
    free(comm);
    return ncclSuccess;
}
