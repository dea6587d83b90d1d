#include "nccl_sums.h"

#ifdef DLB_NCCL
#include "device_event.h"
#include "fail.h"
#include "gpu_status.h"
#include "ranks.h"

#include <stdlib.h>

/* What is waited for. */
static const char START[] = "NCCL's start", GRADIENTS[] = "gradients by NCCL";

struct nccl_sums {
    ncclComm_t comm;
};

static ncclResult_t state_of(const nccl_sums *s) {
    ncclResult_t state = ncclSuccess;
    check_nccl(ncclCommGetAsyncError(s->comm, &state));
    check_nccl(state);
    return state;
}

static bool is_settled(void *context) {
    return state_of(context) != ncclInProgress;
}

/* The communicator never blocks: a call may return before what it asks for is in its stream, and
 * until then nothing else may be asked for. */
static void settle(nccl_sums *s, ncclResult_t status, const char *what) {
    check_nccl(status);
    rank_wait_until(is_settled, s, what);
}

typedef struct {
    const nccl_sums *sums;
    cudaEvent_t event;
} awaited_event;

static bool has_happened(void *context) {
    const awaited_event *awaited = context;
    state_of(awaited->sums); /* or a rank that has gone would be waited for */
    return device_is_past(awaited->event);
}

static void wait_for(const nccl_sums *s, cudaEvent_t event, const char *what) {
    awaited_event awaited = {s, event};
    rank_wait_until(has_happened, &awaited, what);
}

/* NCCL may connect the ranks no sooner than with their first sum. */
static void add_up_one(nccl_sums *s, cudaStream_t stream) {
    float *value;
    cudaEvent_t event = make_device_event();
    check_error(cudaMalloc((void **)&value, sizeof *value));
    check_error(cudaMemsetAsync(value, 0, sizeof *value, stream));
    settle(s, ncclAllReduce(value, value, 1, ncclFloat, ncclSum, s->comm, stream), START);
    check_error(cudaEventRecord(event, stream));
    wait_for(s, event, START);
    check_error(cudaEventDestroy(event));
    check_error(cudaFree(value));
}

nccl_sums *nccl_sums_create(cudaStream_t stream) {
    nccl_sums *s = allocate(1, sizeof *s);
    ncclUniqueId id = {{0}};
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    if (rank_number() == 0)
        check_nccl(ncclGetUniqueId(&id));
    ranks_broadcast(&id, sizeof id);
    settle(s, ncclCommInitRankConfig(&s->comm, rank_count(), id, rank_number(), &config), START);
    add_up_one(s, stream);
    return s;
}

void nccl_sums_free(nccl_sums *s) {
    if (!s)
        return;
    settle(s, ncclCommFinalize(s->comm), "NCCL's end");
    check_nccl(ncclCommDestroy(s->comm));
    free(s);
}

void nccl_sums_start(nccl_sums *s, float *values, size_t count, cudaStream_t stream) {
    settle(s, ncclAllReduce(values, values, count, ncclFloat, ncclSum, s->comm, stream), GRADIENTS);
}

void nccl_sums_wait(const nccl_sums *s, cudaEvent_t event) {
    wait_for(s, event, GRADIENTS);
}
#endif
