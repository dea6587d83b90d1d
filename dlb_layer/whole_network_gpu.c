#include "whole_network_gpu.h"

#ifdef GPU
#include "array_list_kernels.h"
#include "device_list.h"
#include "fail.h"
#include "gpu_status.h"
#include "loss_scale_gpu.h"
#include "network_arrays.h"
#include "step_losses.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct whole_network {
    bool is_listed; /* `updated` is what the network has */
    int updated_count;
    unsigned long delta_lists;
    device_list updated, deltas;
    update_numbers *numbers; /* of the update that comes next, on the device */
    float **kept; /* (kept_count), on the device: of `updated`, those that are not Nesterov's */
    int kept_count;
    float_array *now, *listed; /* (MOST_DELTAS * layers): of the network, and those of `deltas` */
};

static struct whole_network *whole_of(network *net) {
    if (net->whole)
        return net->whole;
    struct whole_network *whole = allocate(1, sizeof *whole);
    whole->now = allocate(MOST_DELTAS * (size_t)net->n, sizeof *whole->now);
    whole->listed = allocate(MOST_DELTAS * (size_t)net->n, sizeof *whole->listed);
    return net->whole = whole;
}

void free_whole_network(struct whole_network *whole) {
    if (!whole)
        return;
    drop_device_list(&whole->updated);
    drop_device_list(&whole->deltas);
    for (int i = 0; i < whole->kept_count; i++)
        check_error(cudaFree(whole->kept[i]));
    check_error(cudaFree(whole->numbers));
    free(whole->kept);
    free(whole->now);
    free(whole->listed);
    free(whole);
}

/* Other arrays take the place of these when the network gets another size or batch. */
static void list_deltas_anew(struct whole_network *whole, int count) {
    drop_device_list(&whole->deltas);
    whole->deltas = make_device_list(whole->now, sizeof *whole->now, count, &whole->now->count);
    memcpy(whole->listed, whole->now, (size_t)count * sizeof *whole->now);
    whole->delta_lists++;
}

unsigned long delta_lists_made(const network *net) {
    return net->whole ? net->whole->delta_lists : 0;
}

void bring_delta_list_up_to_date(network *net) {
    struct whole_network *whole = whole_of(net);
    int count = list_deltas(net, whole->now);
    if (count != whole->deltas.count ||
        memcmp(whole->now, whole->listed, (size_t)count * sizeof *whole->now) != 0)
        list_deltas_anew(whole, count);
}

void clear_deltas_gpu(network *net) {
    bring_delta_list_up_to_date(net);
    const device_list *list = &net->whole->deltas;
    clear_pass pass = {list->arrays, list->first_blocks, list->count};
    if (list->blocks)
        check_error(launch_clear_arrays(&pass, list->blocks));
}

static void keep_updates(struct whole_network *whole, updated_array *a) {
    size_t bytes = a->count * sizeof *a->updates;
    a->kept = a->before;
    if (a->kept)
        return;
    check_error(cudaMalloc((void **)&a->kept, bytes));
    check_error(cudaMemcpy(a->kept, a->updates, bytes, cudaMemcpyDeviceToDevice));
    whole->kept[whole->kept_count++] = a->kept;
}

static void list_updated(struct whole_network *whole, const network *net) {
    size_t most = MOST_UPDATED_ARRAYS * (size_t)net->n;
    updated_array *arrays = allocate(most, sizeof *arrays);
    whole->updated_count = list_updated_arrays(net, net->decay_all, arrays);
    if (net->loss_scale) {
        whole->kept = allocate(most, sizeof *whole->kept);
        for (int i = 0; i < whole->updated_count; i++)
            keep_updates(whole, &arrays[i]);
    }
    check_error(cudaMalloc((void **)&whole->numbers, sizeof *whole->numbers));
    if (whole->updated_count > 0)
        whole->updated =
            make_device_list(arrays, sizeof *arrays, whole->updated_count, &arrays->count);
    whole->is_listed = true;
    free(arrays);
}

void list_parameters_gpu(network *net) {
    struct whole_network *whole = whole_of(net);
    if (!whole->is_listed)
        list_updated(whole, net);
}

int can_update_whole_network(network *net) {
    list_parameters_gpu(net);
    return net->whole->updated_count >= 0;
}

void set_whole_update(network *net, update_args a) {
    numbers_pass pass = {.to = net->whole->numbers,
                         .numbers = {.learning_rate = a.learning_rate,
                                     .decay = a.decay,
                                     .momentum = a.momentum,
                                     .batch = (float)a.batch}};
    check_error(launch_set_update_numbers(&pass));
}

/* With a scale its check comes before, and what follows from it after. */
void launch_whole_update(network *net) {
    const device_list *list = &net->whole->updated;
    update_pass pass = {.arrays = list->arrays,
                        .first_blocks = list->first_blocks,
                        .count = list->count,
                        .numbers = net->whole->numbers,
                        .scale = device_loss_scale_of(net)};
    if (!list->blocks)
        return;
    if (pass.scale)
        check_error(launch_check_gradients(&pass, list->blocks));
    check_error(launch_update_arrays(&pass, list->blocks));
    if (pass.scale)
        check_error(launch_step_loss_scale(pass.scale));
}

int update_whole_network_gpu(network *net, update_args a) {
    if (!can_update_whole_network(net))
        return 0;
    set_whole_update(net, a);
    launch_whole_update(net);
    if (!losses_are_deferred(net)) /* the host waits for each step anyway */
        report_half_updates(net);
    return 1;
}

#else

void free_whole_network(struct whole_network *whole) {
    (void)whole;
}
#endif
