/* For tests that run on the CPU and on the GPU from one source. Where there is no GPU those that
 * need one are skipped, each by its name. Include it after cmocka.h. */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

#include "darknet.h"

#include <stdlib.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "batchnorm_layer.h"
#include "connected_layer.h"
#include "convolutional_layer.h"
#pragma GCC diagnostic pop

__attribute__((unused)) static char on_cpu[] = "CPU", on_gpu[] = "GPU";

/* Entries of a list of cmocka's; ON_BOTH is the test twice. */
// clang-format off
#define ON_GPU(test) {#test "_on_the_gpu", test, NULL, NULL, on_gpu}
#define ON_BOTH(test) {#test, test, NULL, NULL, on_cpu}, ON_GPU(test)
// clang-format on

static inline int has_gpu(void) {
#ifdef GPU
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0)
        return 1;
    cudaGetLastError(); /* or the next check would find it */
#endif
    return 0;
}

/* First in a test of these lists: networks are made on its device from here on. */
static inline void use_device(void **state) {
    gpu_index = -1;
    if (*state != on_gpu)
        return;
    setenv("NVIDIA_TF32_OVERRIDE", "0", 1); /* products of float32, as on the CPU */
    if (!has_gpu())
        skip();
#ifdef GPU
    cuda_set_device(0);
#endif
}

/* Parameters that the test has changed go to the device, and what the device has computed comes
 * back; nothing on the CPU. */
static inline void push_parameters(const network *net) {
    (void)net;
#ifdef GPU
    for (int i = 0; net->gpu_index >= 0 && i < net->n; i++) {
        layer l = net->layers[i];
        if (l.type == CONVOLUTIONAL)
            push_convolutional_layer(l);
        else if (l.type == CONNECTED)
            push_connected_layer(l);
        else if (l.type == BATCHNORM)
            push_batchnorm_layer(l);
    }
#endif
}

static inline void pull_network(const network *net) {
    (void)net;
#ifdef GPU
    for (int i = 0; net->gpu_index >= 0 && i < net->n; i++) {
        layer l = net->layers[i];
        size_t values = (size_t)l.batch * (size_t)l.outputs;
        if (l.output_gpu && l.output)
            cuda_pull_array(l.output_gpu, l.output, values);
        if (l.delta_gpu && l.delta)
            cuda_pull_array(l.delta_gpu, l.delta, values);
        if (l.type == CONVOLUTIONAL)
            pull_convolutional_layer(l);
        else if (l.type == CONNECTED)
            pull_connected_layer(l);
        else if (l.type == BATCHNORM)
            pull_batchnorm_layer(l);
    }
#endif
}

#endif
