#include "step_snapshot.h"

#include "fail.h"
#include "layer_arrays.h"

#include <stdlib.h>
#include <string.h>

struct step_snapshot {
    float *values; /* of all arrays, one after the other */
};

static float *changed_before_update(const layer_array *array) {
    return array->updates ? array->updates : array->values;
}

/* What is done with each array of the network and its place in the snapshot. */
typedef void (*array_action)(float *of_network, float *kept, size_t bytes);

static void keep(float *of_network, float *kept, size_t bytes) {
    memcpy(kept, of_network, bytes);
}

static void put_back(float *of_network, float *kept, size_t bytes) {
    memcpy(of_network, kept, bytes);
}

static size_t for_each_array(const network *net, float *kept, array_action act) {
    size_t at = 0;
    for (int i = 0; i < net->n; i++) {
        layer_array arrays[MOST_LAYER_ARRAYS];
        int count = list_layer_arrays(&net->layers[i], arrays);
        for (int k = 0; k < count; k++) {
            if (kept)
                act(changed_before_update(&arrays[k]), kept + at, arrays[k].count * sizeof(float));
            at += arrays[k].count;
        }
    }
    return at;
}

step_snapshot *step_snapshot_create(const network *net) {
    step_snapshot *snapshot = allocate(1, sizeof *snapshot);
    snapshot->values = allocate(for_each_array(net, NULL, keep), sizeof *snapshot->values);
    return snapshot;
}

void step_snapshot_free(step_snapshot *snapshot) {
    if (!snapshot)
        return;
    free(snapshot->values);
    free(snapshot);
}

void step_snapshot_take(step_snapshot *snapshot, const network *net) {
    for_each_array(net, snapshot->values, keep);
}

void step_snapshot_put_back(const step_snapshot *snapshot, network *net) {
    for_each_array(net, snapshot->values, put_back);
}
