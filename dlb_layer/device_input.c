#include "device_input.h"

#ifdef GPU
#include "fail.h"
#include "gpu_status.h"
#include "gpu_stream.h"
#include "gradient_sums.h"
#include "render_kernels.h"
#include "staged_rows.h"

#include <stdlib.h>

typedef struct {
    void *memory; /* on the device */
    size_t room;  /* bytes */
} device_array;

struct device_input {
    staged_rows staged;
    const network *net;
    device_array inputs, truths;
    device_array parts[DRAWN_PARTS]; /* of rows that are rendered here */
    row_painter painter;
    cudaStream_t stream;
    cudaEvent_t arrived; /* what was sent last is on the device */
    cudaEvent_t taken;   /* and from there in the network's arrays */
};

static void make_room(const struct device_input *input, device_array *to, size_t bytes) {
    if (to->room >= bytes)
        return;
    await_gradient_sums(input->net);      /* which has a limit, as what follows has not */
    check_error(cudaDeviceSynchronize()); /* the array may still be read */
    check_error(cudaFree(to->memory));
    check_error(cudaMalloc(&to->memory, bytes));
    to->room = bytes;
}

static void copy_ahead(struct device_input *input, device_array *to, const float *from,
                       size_t count) {
    make_room(input, to, count * sizeof *from);
    check_error(cudaMemcpyAsync(to->memory, from, count * sizeof *from, cudaMemcpyHostToDevice,
                                input->stream));
}

/* ---- rows to be rendered; see row_painter ---- */

/* A quarter more than is needed, because images are not all of one size and a wait goes with it. */
static void make_room_for_part(void *context, drawn_part part, size_t bytes) {
    struct device_input *input = context;
    if (input->parts[part].room < bytes)
        make_room(input, &input->parts[part], bytes + bytes / 4);
}

static void copy_part(void *context, drawn_part part, size_t at, const void *from, size_t bytes) {
    struct device_input *input = context;
    check_error(cudaMemcpyAsync((unsigned char *)input->parts[part].memory + at, from, bytes,
                                cudaMemcpyHostToDevice, input->stream));
}

static void render(void *context, const render_settings *settings, size_t count) {
    struct device_input *input = context;
    render_pass pass = {.settings = *settings,
                        .rows = input->parts[DRAWN_ROWS].memory,
                        .pixels = input->parts[DRAWN_PIXELS].memory,
                        .inputs = input->inputs.memory,
                        .count = count};
    check_error(launch_render_rows(&pass, input->stream));
}

/* ---- ahead of the step; see row_carrier ---- */

static size_t input_floats(const network *net) {
    return (size_t)net->batch * (size_t)net->inputs;
}

static void send(void *context, const row_block *rows) {
    struct device_input *input = context;
    check_error(cudaStreamWaitEvent(input->stream, input->taken, 0));
    if (rows->drawn) {
        make_room(input, &input->inputs, input_floats(input->net) * sizeof(float));
        send_drawn_block(rows->drawn, &input->painter);
    } else {
        copy_ahead(input, &input->inputs, rows->inputs, rows->input_count);
    }
    copy_ahead(input, &input->truths, rows->truths, rows->truth_count);
    check_error(cudaEventRecord(input->arrived, input->stream));
}

static void take(void *context, const row_block *rows) {
    struct device_input *input = context;
    const network *net = input->net;
    check_error(cudaStreamWaitEvent(0, input->arrived, 0));
    check_error(cudaMemcpyAsync(net->input_gpu, input->inputs.memory,
                                input_floats(net) * sizeof(float), cudaMemcpyDeviceToDevice, 0));
    check_error(cudaMemcpyAsync(net->truth_gpu, input->truths.memory,
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
    input->painter = (row_painter){input, make_room_for_part, copy_part, render};
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
    check_error(cudaFree(input->inputs.memory));
    check_error(cudaFree(input->truths.memory));
    for (int part = 0; part < DRAWN_PARTS; part++)
        check_error(cudaFree(input->parts[part].memory));
    check_error(cudaEventDestroy(input->arrived));
    check_error(cudaEventDestroy(input->taken));
    check_error(cudaStreamDestroy(input->stream));
    free(input);
    net->device_input = NULL;
}

static row_block block_of(const network *net, const float *inputs, const float *truths) {
    return (row_block){.inputs = inputs,
                       .truths = truths,
                       .input_count = input_floats(net),
                       .truth_count = (size_t)net->batch * (size_t)net->truths};
}

void send_device_input(network *net, const float *inputs, const float *truths) {
    row_block rows = block_of(net, inputs, truths);
    if (net->device_input)
        send_rows(&net->device_input->staged, &rows);
}

void send_drawn_input(network *net, const drawn_block *rows, const float *truths) {
    row_block block = block_of(net, (const float *)(const void *)rows->rows, truths);
    block.drawn = rows;
    if (net->device_input)
        send_rows(&net->device_input->staged, &block);
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

void send_drawn_input(network *net, const drawn_block *rows, const float *truths) {
    (void)net;
    (void)rows;
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
