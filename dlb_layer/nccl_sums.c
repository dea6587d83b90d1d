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

static void start(nccl_sums *s, const float_array *a, cudaStream_t stream, const char *what) {
    settle(s, ncclAllReduce(a->floats, a->floats, a->count, ncclFloat, ncclSum, s->comm, stream),
           what);
}

nccl_sums *nccl_sums_create(void) {
    nccl_sums *s = allocate(1, sizeof *s);
    ncclUniqueId id = {{0}};
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    if (rank_number() == 0)
        check_nccl(ncclGetUniqueId(&id));
    ranks_broadcast(&id, sizeof id);
    settle(s, ncclCommInitRankConfig(&s->comm, rank_count(), id, rank_number(), &config), START);
    return s;
}

void nccl_sums_connect(nccl_sums *s, const float_array *zeros, cudaStream_t stream) {
    cudaEvent_t event = make_device_event();
    start(s, zeros, stream, START);
    check_error(cudaEventRecord(event, stream));
    wait_for(s, event, START);
    check_error(cudaEventDestroy(event));
}

void nccl_sums_free(nccl_sums *s) {
    if (!s)
        return;
    settle(s, ncclCommFinalize(s->comm), "NCCL's end");
    check_nccl(ncclCommDestroy(s->comm));
    free(s);
}

void nccl_sums_start(nccl_sums *s, const float_array *values, cudaStream_t stream) {
    start(s, values, stream, GRADIENTS);
}

void nccl_sums_wait(const nccl_sums *s, cudaEvent_t event) {
    wait_for(s, event, GRADIENTS);
}
#endif
