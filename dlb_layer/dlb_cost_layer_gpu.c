/* [dlb_cost] on a GPU: everything stays on the device, and nothing in a step waits for it. */
#include "dlb_cost_state.h"

#ifdef GPU
#include "dlb_cost_kernels.h"
#include "fail.h"
#include "gpu_status.h"
#include "gpu_stream.h"

#include <stdlib.h>
#include <string.h>

enum { ALL_BITS = 0xff }; /* of an id: -1, no sample's */

/* Arrays on the device but for the pinned ones. */
struct dlb_cost_device {
    int slots;
    size_t id_count;     /* of a micro-batch, 2 * half */
    float *ring_logits;  /* (slots, half, classes) */
    int64_t *ring_ids;   /* (slots, half) */
    int64_t *ids;        /* (slots, 2 * half) */
    int64_t *pinned_ids; /* (slots, 2 * half), on the host */
    cudaEvent_t *copied; /* (slots): pinned_ids may be overwritten */
    double *row_losses;  /* (DLB_SUMS, 2 * half) */
    double *sums;        /* (DLB_SUMS) */
};

static void *make_array(size_t count, size_t size, int byte) {
    void *array = NULL;
    check_error(cudaMalloc(&array, count * size));
    check_error(cudaMemset(array, byte, count * size));
    return array;
}

struct dlb_cost_device *make_dlb_cost_device(const struct dlb_cost *dlb) {
    struct dlb_cost_device *device = allocate(1, sizeof *device);
    size_t rows = (size_t)dlb->slots * (size_t)dlb->half;
    device->slots = dlb->slots;
    device->id_count = 2 * (size_t)dlb->half;
    device->ring_logits = make_array(rows * (size_t)dlb->classes, sizeof(float), 0);
    device->ring_ids = make_array(rows, sizeof(int64_t), ALL_BITS);
    device->ids = make_array(2 * rows, sizeof(int64_t), ALL_BITS);
    device->row_losses = make_array(DLB_SUMS * device->id_count, sizeof(double), 0);
    device->sums = make_array(DLB_SUMS, sizeof(double), 0);
    check_error(cudaMallocHost((void **)&device->pinned_ids, 2 * rows * sizeof(int64_t)));
    device->copied = allocate((size_t)dlb->slots, sizeof *device->copied);
    for (int slot = 0; slot < dlb->slots; slot++)
        check_error(cudaEventCreateWithFlags(&device->copied[slot], cudaEventDisableTiming));
    return device;
}

void free_dlb_cost_device(struct dlb_cost_device *device) {
    if (!device)
        return;
    for (int slot = 0; slot < device->slots; slot++)
        check_error(cudaEventDestroy(device->copied[slot]));
    void *arrays[] = {device->ring_logits, device->ring_ids, device->ids, device->row_losses,
                      device->sums};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        check_error(cudaFree(arrays[i]));
    check_error(cudaFreeHost(device->pinned_ids));
    free(device->copied);
    free(device);
}

/* ---- the ring ---- */

static size_t logits_bytes(logit_ring_contents ring) {
    return ring.rows * ring.classes * sizeof *ring.logits;
}

void pull_dlb_cost_device_ring(const struct dlb_cost_device *device, logit_ring_contents to) {
    check_error(
        cudaMemcpy(to.logits, device->ring_logits, logits_bytes(to), cudaMemcpyDeviceToHost));
    check_error(
        cudaMemcpy(to.ids, device->ring_ids, to.rows * sizeof *to.ids, cudaMemcpyDeviceToHost));
}

void push_dlb_cost_device_ring(struct dlb_cost_device *device, logit_ring_contents from) {
    check_error(
        cudaMemcpy(device->ring_logits, from.logits, logits_bytes(from), cudaMemcpyHostToDevice));
    check_error(cudaMemcpy(device->ring_ids, from.ids, from.rows * sizeof *from.ids,
                           cudaMemcpyHostToDevice));
}

void clear_dlb_cost_device_ring(struct dlb_cost_device *device) {
    size_t rows = (size_t)device->slots * device->id_count / 2;
    check_error(cudaMemset(device->ring_ids, ALL_BITS, rows * sizeof *device->ring_ids));
}

/* ---- a pass ---- */

/* The caller's array is free at once; the pinned one is the slot's own, so that this waits only if
 * the device is a whole iteration behind. */
static void send_ids(struct dlb_cost_device *device, int slot, const int64_t *ids) {
    size_t at = (size_t)slot * device->id_count, bytes = device->id_count * sizeof *ids;
    check_error(cudaEventSynchronize(device->copied[slot]));
    memcpy(device->pinned_ids + at, ids, bytes);
    check_error(cudaMemcpyAsync(device->ids + at, device->pinned_ids + at, bytes,
                                cudaMemcpyHostToDevice, 0));
    check_error(cudaEventRecord(device->copied[slot], 0));
}

void send_dlb_cost_samples(const layer *l) {
    need_dlb_cost_samples(l->dlb);
    send_ids(l->dlb->device, l->dlb->slot, l->dlb->ids);
}

/* The gradient goes straight to the logits' delta: it has been cleared for this pass, and whatever
 * follows the logits adds to it. */
void forward_dlb_cost_layer_gpu(layer l, network net) {
    struct dlb_cost *dlb = l.dlb;
    struct dlb_cost_device *device = dlb->device;
    if (!net.train)
        return;
    if (!gpu_stream()) /* a graph is captured once and its ids are sent before each launch */
        send_dlb_cost_samples(&l);
    size_t first = (size_t)dlb->slot * (size_t)dlb->half;
    const layer *logits = &net.layers[dlb->logits_layer],
                *softmax = &net.layers[dlb->softmax_layer];
    dlb_cost_pass pass = {.half = dlb->half,
                          .classes = dlb->classes,
                          .softmax_logits = softmax[-1].output_gpu,
                          .truth = net.truth_gpu,
                          .softmax_temperature = softmax->temperature,
                          .logits = logits->output_gpu,
                          .logits_delta = logits->delta_gpu,
                          .temperature = dlb->temperature,
                          .weight = dlb_cost_weight(dlb),
                          .ids = device->ids + (size_t)dlb->slot * device->id_count,
                          .ring_logits = device->ring_logits + first * (size_t)dlb->classes,
                          .ring_ids = device->ring_ids + first,
                          .row_losses = device->row_losses,
                          .sums = device->sums};
    check_error(launch_dlb_cost(&pass));
}

void backward_dlb_cost_layer_gpu(layer l, network net) {
    (void)l;
    (void)net;
}

dlb_cost_sums take_dlb_cost_device_sums(struct dlb_cost_device *device) {
    double sums[DLB_SUMS];
    check_error(cudaMemcpy(sums, device->sums, sizeof sums, cudaMemcpyDeviceToHost));
    check_error(cudaMemset(device->sums, 0, sizeof sums));
    return (dlb_cost_sums){.cross_entropy = sums[DLB_SUM_CROSS_ENTROPY],
                           .consistency = sums[DLB_SUM_CONSISTENCY],
                           .teachers = (int)sums[DLB_SUM_TEACHERS]};
}
#endif
