#include "whole_network_gpu.h"

#ifdef GPU
#include "array_list_kernels.h"
#include "device_list.h"
#include "fail.h"
#include "gpu_status.h"
#include "network_arrays.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct whole_network {
    bool is_listed; /* `updated` is what the network has */
    int updated_count;
    unsigned long delta_lists;
    device_list updated, deltas;
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

static void list_updated(struct whole_network *whole, const network *net) {
    updated_array *arrays = allocate(MOST_UPDATED_ARRAYS * (size_t)net->n, sizeof *arrays);
    whole->updated_count = list_updated_arrays(net, net->decay_all, arrays);
    if (whole->updated_count > 0)
        whole->updated =
            make_device_list(arrays, sizeof *arrays, whole->updated_count, &arrays->count);
    whole->is_listed = true;
    free(arrays);
}

int update_whole_network_gpu(network *net, update_args a) {
    struct whole_network *whole = whole_of(net);
    if (!whole->is_listed)
        list_updated(whole, net);
    if (whole->updated_count < 0)
        return 0;
    const device_list *list = &whole->updated;
    update_pass pass = {.arrays = list->arrays,
                        .first_blocks = list->first_blocks,
                        .count = list->count,
                        .learning_rate = a.learning_rate,
                        .decay = a.decay,
                        .momentum = a.momentum,
                        .batch = (float)a.batch};
    if (list->blocks)
        check_error(launch_update_arrays(&pass, list->blocks));
    return 1;
}

#else

void free_whole_network(struct whole_network *whole) {
    (void)whole;
}
#endif
