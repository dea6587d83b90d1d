#include "loss_scale_gpu.h"

#ifdef GPU
#include "fail.h"
#include "gpu_status.h"
#include "network.h"
#include "network_device.h"
#include "whole_network_gpu.h"

#include <stdlib.h>

static const char STATE_NAME[] = "loss_scale";

struct device_loss_scale {
    loss_scale *scale; /* on the device */
    int reported;      /* of the updates that were left out */
    int dropped;       /* of these, in this process */
};

static loss_scale pulled(const network *net) {
    loss_scale s;
    check_error(cudaMemcpy(&s, net->loss_scale->scale, sizeof s, cudaMemcpyDeviceToHost));
    return s;
}

static void push(const struct device_loss_scale *to, loss_scale s) {
    check_error(cudaMemcpy(to->scale, &s, sizeof s, cudaMemcpyHostToDevice));
}

struct device_loss_scale *make_device_loss_scale(const network *net) {
    if (net->half != HALF_FLOAT16 || !is_on_gpu(net))
        return NULL;
    struct device_loss_scale *s = allocate(1, sizeof *s);
    check_error(cudaMalloc((void **)&s->scale, sizeof *s->scale));
    push(s, first_loss_scale(net->batch));
    return s;
}

void free_device_loss_scale(struct device_loss_scale *s) {
    if (!s)
        return;
    check_error(cudaFree(s->scale));
    free(s);
}

void begin_half_step(network *net) {
    if (net->loss_scale)
        list_parameters_gpu(net);
}

loss_scale *device_loss_scale_of(const network *net) {
    return net->loss_scale ? net->loss_scale->scale : NULL;
}

const float *loss_scale_on_device(const network *net) {
    return net->loss_scale ? &net->loss_scale->scale->scale : NULL;
}

void report_half_updates(const network *net) {
    if (!net->loss_scale)
        return;
    loss_scale s = pulled(net);
    size_t iteration = get_current_batch((network *)net);
    int dropped = s.dropped - net->loss_scale->reported, spoiled = s.spoiled_before - 1;
    if (!dropped)
        return;
    const char *type = get_layer_string(net->layers[spoiled].type);
    if (loss_scale_is_exhausted(&s))
        fail("half=1: iteration %zu, learning rate %g: a gradient of layer %d, a [%s], is not "
             "finite "
             "even without a loss scale; half=bfloat16 has the range of float32",
             iteration, get_current_rate((network *)net), spoiled, type);
    fprintf(stderr,
            "Dropped the update of iteration %zu: a gradient of layer %d, a [%s], is not finite "
            "with half=1; the loss scale is %g now\n",
            iteration, spoiled, type, s.scale);
    net->loss_scale->reported = s.dropped;
    net->loss_scale->dropped += dropped;
}

int half_updates_dropped(const network *net) {
    return net->loss_scale ? net->loss_scale->dropped : 0;
}

void put_loss_scale(state_writer *writer, const network *net) {
    if (!net->loss_scale)
        return;
    loss_scale s = pulled(net);
    put_state(writer, STATE_NAME, &s, sizeof s);
}

void get_loss_scale(const state_file *file, network *net) {
    size_t size;
    loss_scale s;
    if (!net->loss_scale || !find_state(file, STATE_NAME, &size))
        return;
    get_state(file, STATE_NAME, &s, sizeof s);
    push(net->loss_scale, s);
    net->loss_scale->reported = s.dropped;
}

#else

struct device_loss_scale *make_device_loss_scale(const network *net) {
    (void)net;
    return NULL;
}

void free_device_loss_scale(struct device_loss_scale *s) {
    (void)s;
}

void begin_half_step(network *net) {
    (void)net;
}

void report_half_updates(const network *net) {
    (void)net;
}

int half_updates_dropped(const network *net) {
    (void)net;
    return 0;
}

void put_loss_scale(state_writer *writer, const network *net) {
    (void)writer;
    (void)net;
}

void get_loss_scale(const state_file *file, network *net) {
    (void)file;
    (void)net;
}
#endif
