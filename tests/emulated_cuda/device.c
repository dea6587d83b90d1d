/* Devices, and what the calls of a program have in common. */
#include "emulation.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local cudaError_t last_error;
static _Thread_local int current_device;

void emulation_abort(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("emulated CUDA: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    abort();
}

void *zeroed(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        emulation_abort("no memory is left");
    return memory;
}

void enter(void) {
    pthread_mutex_lock(&lock);
}

cudaError_t leave(cudaError_t status) {
    pthread_mutex_unlock(&lock);
    if (status != cudaSuccess)
        last_error = status;
    return status;
}

/* ---- errors ---- */

static const struct {
    cudaError_t status;
    const char *name;
} NAMES[] = {{cudaSuccess, "cudaSuccess"},
             {cudaErrorInvalidValue, "cudaErrorInvalidValue"},
             {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation"},
             {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration"},
             {cudaErrorNoDevice, "cudaErrorNoDevice"},
             {cudaErrorInvalidDevice, "cudaErrorInvalidDevice"},
             {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle"},
             {cudaErrorNotReady, "cudaErrorNotReady"},
             {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported"},
             {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated"},
             {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit"}};

const char *cudaGetErrorName(cudaError_t status) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (NAMES[i].status == status)
            return NAMES[i].name;
    return "cudaErrorUnknown";
}

const char *cudaGetErrorString(cudaError_t status) {
    return status == cudaSuccess ? "no error" : "an error of the emulated device";
}

cudaError_t cudaGetLastError(void) {
    cudaError_t status = last_error;
    last_error = cudaSuccess;
    return status;
}

cudaError_t cudaPeekAtLastError(void) {
    return last_error;
}

/* ---- devices ---- */

/* EMULATED_GPUS, or one. */
static int device_count(void) {
    const char *text = getenv("EMULATED_GPUS");
    int count = text ? atoi(text) : 1;
    return count < 0 ? 0 : count > MOST_DEVICES ? MOST_DEVICES : count;
}

static bool is_device(int device) {
    return device >= 0 && device < device_count();
}

cudaError_t cudaGetDeviceCount(int *count) {
    enter();
    *count = device_count();
    return leave(*count ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device) {
    enter();
    if (!is_device(device))
        return leave(cudaErrorInvalidDevice);
    current_device = device;
    return leave(cudaSuccess);
}

cudaError_t cudaGetDevice(int *device) {
    enter();
    *device = current_device;
    return leave(cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device) {
    enter();
    if (!is_device(device))
        return leave(cudaErrorInvalidDevice);
    *properties = (struct cudaDeviceProp){.name = "the CPU, by emulation",
                                          .uuid = {{(char)(device + 1)}},
                                          .totalGlobalMem = (size_t)1 << 34,
                                          .major = 8,
                                          .multiProcessorCount = 4,
                                          .warpSize = 32,
                                          .maxThreadsPerBlock = 1024};
    return leave(cudaSuccess);
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
    enter();
    if (!is_device(device))
        return leave(cudaErrorInvalidDevice);
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
        *value = 8;
        return leave(cudaSuccess);
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        return leave(cudaSuccess);
    case cudaDevAttrMultiProcessorCount:
        *value = 4;
        return leave(cudaSuccess);
    }
    return leave(cudaErrorInvalidValue);
}

cudaError_t cudaDeviceSynchronize(void) {
    enter();
    return leave(do_all_work());
}
