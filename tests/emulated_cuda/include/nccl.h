/* As much of NCCL as the plugin uses, over MPI, which the program has to have started: see
 * docs/gpu-checks.md. Communicators are all nonblocking, of all ranks of MPI_COMM_WORLD, and add up
 * in one stream each.
 *
 * A call that begins something answers ncclInProgress, at times at once ncclSuccess, and does it
 * only when ncclCommGetAsyncError() has been asked often enough. EMULATED_NCCL, read whenever it
 * matters, changes what follows:
 *   watched  a call that returns only when a sum is there, as cudaDeviceSynchronize() may be, ends
 *            the program: if a rank were gone, it would never return
 *   silent   so, and the other ranks do not answer: no sum ever gets done
 *   lost     so, and ncclCommGetAsyncError() says that a rank is gone */
#ifndef EMULATED_NCCL_H
#define EMULATED_NCCL_H

#include "cuda_runtime.h"

#define NCCL_VERSION_CODE 21400
#define NCCL_UNIQUE_ID_BYTES 128

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ncclSuccess = 0,
    ncclUnhandledCudaError = 1,
    ncclInvalidArgument = 4,
    ncclInvalidUsage = 5,
    ncclRemoteError = 6,
    ncclInProgress = 7
} ncclResult_t;

typedef enum { ncclFloat = 7 } ncclDataType_t;
typedef enum { ncclSum = 0 } ncclRedOp_t;

typedef struct ncclComm *ncclComm_t;

typedef struct {
    char internal[NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;

typedef struct {
    int blocking;
} ncclConfig_t;

#define NCCL_CONFIG_INITIALIZER                                                                    \
    { 1 }

const char *ncclGetErrorString(ncclResult_t);
const char *ncclGetLastError(ncclComm_t);
ncclResult_t ncclGetUniqueId(ncclUniqueId *);
ncclResult_t ncclCommInitRankConfig(ncclComm_t *, int count, ncclUniqueId, int rank,
                                    ncclConfig_t *);
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t *state);
ncclResult_t ncclCommFinalize(ncclComm_t);
ncclResult_t ncclCommDestroy(ncclComm_t);
ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t, ncclRedOp_t,
                           ncclComm_t, cudaStream_t);

#ifdef __cplusplus
}
#endif

#endif
