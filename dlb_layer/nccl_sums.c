#include "nccl_sums.h"

#ifdef DLB_NCCL
#include "device_event.h"
#include "fail.h"
#include "gpu_status.h"
#include "ranks.h"

#include <stdlib.h>

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
    cudaGetLastError(); /* of what NCCL has tried and does without; the next check would find it */
    rank_wait_until(is_settled, s, what);
}

nccl_sums *nccl_sums_create(void) {
    nccl_sums *s = allocate(1, sizeof *s);
    ncclUniqueId id = {{0}};
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    if (rank_number() == 0)
        check_nccl(ncclGetUniqueId(&id));
    ranks_broadcast(&id, sizeof id);
    settle(s, ncclCommInitRankConfig(&s->comm, rank_count(), id, rank_number(), &config),
           "NCCL's start");
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
    settle(s, ncclAllReduce(values, values, count, ncclFloat, ncclSum, s->comm, stream),
           "gradients by NCCL");
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

void nccl_sums_wait(nccl_sums *s, cudaEvent_t event) {
    awaited_event awaited = {s, event};
    rank_wait_until(has_happened, &awaited, "gradients by NCCL");
}
#endif
