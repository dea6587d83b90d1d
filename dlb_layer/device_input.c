#include "device_input.h"

#ifdef GPU
#include "fail.h"
#include "gpu_status.h"
#include "gpu_stream.h"
#include "staged_rows.h"

#include <stdlib.h>

typedef struct {
    float *floats; /* on the device */
    size_t room;
} device_floats;

struct device_input {
    staged_rows staged;
    const network *net;
    device_floats inputs, truths;
    cudaStream_t stream;
    cudaEvent_t arrived; /* what was sent last is on the device */
    cudaEvent_t taken;   /* and from there in the network's arrays */
};

static void make_room(device_floats *to, size_t count) {
    if (to->room >= count)
        return;
    check_error(cudaDeviceSynchronize()); /* the array may still be read */
    check_error(cudaFree(to->floats));
    check_error(cudaMalloc((void **)&to->floats, count * sizeof *to->floats));
    to->room = count;
}

static void copy_ahead(struct device_input *input, device_floats *to, const float *from,
                       size_t count) {
    make_room(to, count);
    check_error(cudaMemcpyAsync(to->floats, from, count * sizeof *from, cudaMemcpyHostToDevice,
                                input->stream));
}

static void send(void *context, const row_block *rows) {
    struct device_input *input = context;
    check_error(cudaStreamWaitEvent(input->stream, input->taken, 0));
    copy_ahead(input, &input->inputs, rows->inputs, rows->input_count);
    copy_ahead(input, &input->truths, rows->truths, rows->truth_count);
    check_error(cudaEventRecord(input->arrived, input->stream));
}

static void take(void *context, const row_block *rows) {
    struct device_input *input = context;
    const network *net = input->net;
    check_error(cudaStreamWaitEvent(0, input->arrived, 0));
    check_error(cudaMemcpyAsync(net->input_gpu, input->inputs.floats,
                                rows->input_count * sizeof(float), cudaMemcpyDeviceToDevice, 0));
    check_error(cudaMemcpyAsync(net->truth_gpu, input->truths.floats,
                                rows->truth_count * sizeof(float), cudaMemcpyDeviceToDevice, 0));
    check_error(cudaEventRecord(input->taken, 0));
}

static void wait_until_arrived(void *context) {
    struct device_input *input = context;
    check_error(cudaEventSynchronize(input->arrived));
}

/* A stream that does not wait for the default one, in which the network computes. */
void create_device_input(network *net) {
    if (net->gpu_index < 0 || net->device_input)
        return;
    struct device_input *input = allocate(1, sizeof *input);
    input->net = net;
    input->staged.carrier = (row_carrier){input, send, take, wait_until_arrived};
    check_error(cudaStreamCreateWithFlags(&input->stream, cudaStreamNonBlocking));
    check_error(cudaEventCreateWithFlags(&input->arrived, cudaEventDisableTiming));
    check_error(cudaEventCreateWithFlags(&input->taken, cudaEventDisableTiming));
    net->device_input = input;
}

void free_device_input(network *net) {
    struct device_input *input = net->device_input;
    if (!input)
        return;
    check_error(cudaStreamSynchronize(input->stream));
    check_error(cudaFree(input->inputs.floats));
    check_error(cudaFree(input->truths.floats));
    check_error(cudaEventDestroy(input->arrived));
    check_error(cudaEventDestroy(input->taken));
    check_error(cudaStreamDestroy(input->stream));
    free(input);
    net->device_input = NULL;
}

static row_block block_of(const network *net, const float *inputs, const float *truths) {
    return (row_block){inputs, truths, (size_t)net->batch * (size_t)net->inputs,
                       (size_t)net->batch * (size_t)net->truths};
}

void send_device_input(network *net, const float *inputs, const float *truths) {
    row_block rows = block_of(net, inputs, truths);
    if (net->device_input)
        send_rows(&net->device_input->staged, &rows);
}

void settle_device_input(network *net) {
    if (net->device_input)
        settle_rows(&net->device_input->staged, false);
}

void forget_device_input(network *net) {
    if (net->device_input)
        settle_rows(&net->device_input->staged, true);
}

int take_device_input(network *net) {
    row_block rows = block_of(net, net->input, net->truth);
    if (gpu_stream())
        return 1;
    return net->device_input && take_rows(&net->device_input->staged, &rows);
}

#else

void create_device_input(network *net) {
    (void)net;
}

void free_device_input(network *net) {
    (void)net;
}

void send_device_input(network *net, const float *inputs, const float *truths) {
    (void)net;
    (void)inputs;
    (void)truths;
}

void settle_device_input(network *net) {
    (void)net;
}

void forget_device_input(network *net) {
    (void)net;
}

int take_device_input(network *net) {
    (void)net;
    return 0;
}
#endif
