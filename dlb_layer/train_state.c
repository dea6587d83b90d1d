#include "train_state.h"

#include "dlb_cost_layer.h"
#include "fail.h"
#include "layer_arrays.h"
#include "logit_ring.h"
#include "loss_scale_gpu.h"
#include "network.h"
#include "ranks.h"
#include "shared_network.h"

#include <stdlib.h>
#include <string.h>

/* ---- momentum ---- */

int find_layer_without_state(const network *net) {
    for (int i = 0; i < net->n; i++)
        if (has_unknown_arrays(&net->layers[i]) || net->layers[i].dontsave)
            return i;
    return -1;
}

/* What is kept of one array; `gpu` is where it is on a GPU, NULL: it is not. */
typedef struct {
    char name[STATE_NAME_BYTES];
    float *values, *gpu;
    size_t count;
} kept_array;

typedef void (*array_use)(const kept_array *array, void *context);

static void use_array(array_use use, void *context, const char *kind, int layer, int number,
                      float *values, float *gpu, size_t count) {
    kept_array kept = {.values = values, .gpu = gpu, .count = count};
    snprintf(kept.name, sizeof kept.name, "%s%d.%d", kind, layer, number);
    if (values || gpu)
        use(&kept, context);
}

static void use_layer(const layer *l, int index, array_use use, void *context) {
    layer_array arrays[MOST_LAYER_ARRAYS];
    int count = list_layer_arrays(l, arrays);
    for (int i = 0; i < count; i++) {
        const layer_array *a = &arrays[i];
        use_array(use, context, "updates", index, i, a->updates, a->updates_gpu, a->count);
        use_array(use, context, "adam_m", index, i, NULL, a->adam_mean, a->count);
        use_array(use, context, "adam_v", index, i, NULL, a->adam_square, a->count);
    }
}

static void use_arrays(const network *net, array_use use, void *context) {
    for (int i = 0; i < net->n; i++)
        use_layer(&net->layers[i], i, use, context);
}

static void put_array(const kept_array *kept, void *context) {
    float *values = kept->values;
#ifdef GPU
    float *copy = NULL;
    if (kept->gpu) {
        copy = values ? NULL : allocate(kept->count, sizeof *copy);
        values = values ? values : copy;
        cuda_pull_array(kept->gpu, values, kept->count);
    }
    put_state(context, kept->name, values, kept->count * sizeof *values);
    free(copy);
#else
    put_state(context, kept->name, values, kept->count * sizeof *values);
#endif
}

static void get_array(const kept_array *kept, void *context) {
    float *values = kept->values;
#ifdef GPU
    float *copy = values ? NULL : allocate(kept->count, sizeof *copy);
    values = values ? values : copy;
    get_state(context, kept->name, values, kept->count * sizeof *values);
    if (kept->gpu)
        cuda_push_array(kept->gpu, values, kept->count);
    free(copy);
#else
    get_state(context, kept->name, values, kept->count * sizeof *values);
#endif
}

/* ---- the ring ---- */

static void put_ring(state_writer *w, logit_ring_contents ring) {
    put_state(w, "ring.ids", ring.ids, ring.rows * sizeof *ring.ids);
    put_state(w, "ring.logits", ring.logits, ring.rows * ring.classes * sizeof *ring.logits);
}

/* New rows of a micro-batch that a rank has. */
static size_t own_ring_rows(const network *net) {
    return (size_t)net->batch / 2 * (size_t)count_own_shards(net);
}

static logit_ring *whole_ring(const network *net, size_t classes) {
    return logit_ring_create(net->subdivisions, rows_of_all(net) / 2, (int)classes);
}

/* A micro-batch's rows are in the order of the shards, of which each rank has as many. */
logit_ring_contents gather_ring(const network *net, layer *dlb, logit_ring **gathered) {
    logit_ring_contents own = logit_ring_all(dlb_cost_ring(dlb)), all = {0};
    size_t rows = own_ring_rows(net), slots = (size_t)net->subdivisions;
    size_t step = rows * (size_t)rank_count();
    *gathered = NULL;
    if (rank_count() == 1)
        return own;
    if (rank_number() == 0) {
        *gathered = whole_ring(net, own.classes);
        all = logit_ring_all(*gathered);
    }
    for (size_t slot = 0; slot < slots; slot++) {
        bool here = *gathered;
        ranks_gather(own.ids + slot * rows, here ? all.ids + slot * step : NULL,
                     rows * sizeof *own.ids);
        ranks_gather(own.logits + slot * rows * own.classes,
                     here ? all.logits + slot * step * own.classes : NULL,
                     rows * own.classes * sizeof *own.logits);
    }
    return all;
}

/* Of the file's, which is that of all ranks, the rank's own rows. */
static void take_own_ring(const network *net, logit_ring_contents all, logit_ring_contents own) {
    size_t rows = own_ring_rows(net), step = rows * (size_t)rank_count();
    for (size_t slot = 0; slot < (size_t)net->subdivisions; slot++) {
        size_t from = slot * step + rows * (size_t)rank_number(), to = slot * rows;
        memcpy(own.ids + to, all.ids + from, rows * sizeof *own.ids);
        memcpy(own.logits + to * own.classes, all.logits + from * own.classes,
               rows * own.classes * sizeof *own.logits);
    }
}

static void get_ring(const state_file *file, const network *net, layer *dlb) {
    logit_ring_contents own = logit_ring_all(dlb_cost_ring(dlb));
    logit_ring *whole = rank_count() == 1 ? NULL : whole_ring(net, own.classes);
    logit_ring_contents ring = whole ? logit_ring_all(whole) : own;
    get_state(file, "ring.ids", ring.ids, ring.rows * sizeof *ring.ids);
    get_state(file, "ring.logits", ring.logits, ring.rows * ring.classes * sizeof *ring.logits);
    if (whole)
        take_own_ring(net, ring, own);
    logit_ring_free(whole);
    take_dlb_cost_ring(dlb);
}

/* ---- unusable images ---- */

static void put_unusable_images(state_writer *w, const train_state *s) {
    int32_t *numbers = allocate((size_t)s->images, sizeof *numbers);
    size_t count = 0;
    for (int i = 0; i < s->images; i++)
        if (s->unusable[i])
            numbers[count++] = i;
    put_state(w, "unusable", numbers, count * sizeof *numbers);
    free(numbers);
}

bool *get_unusable_images(const state_file *file, int images) {
    bool *unusable = allocate((size_t)images, sizeof *unusable);
    size_t size;
    const char *numbers = find_state(file, "unusable", &size);
    for (size_t at = 0; numbers && at + sizeof(int32_t) <= size; at += sizeof(int32_t)) {
        int32_t number;
        memcpy(&number, numbers + at, sizeof number);
        if (number < 0 || number >= images)
            fail("%s: image %d is unusable, but there are %d", state_file_path(file), number,
                 images);
        unusable[number] = true;
    }
    return unusable;
}

/* ---- all of it ---- */

void put_train_state(state_writer *w, void *context) {
    const train_state *s = context;
    host_random random = host_random_now();
    put_state(w, "progress", &s->progress, sizeof s->progress);
    put_state(w, "fingerprint", s->print->bytes, s->print->size);
    put_state(w, "circumstances", s->circumstances->bytes, s->circumstances->size);
    put_state(w, "random", &random, sizeof random);
    put_unusable_images(w, s);
    if (s->ring.logits)
        put_ring(w, s->ring);
    use_arrays(s->net, put_array, w);
    put_loss_scale(w, s->net);
}

train_progress get_train_progress(const state_file *file) {
    train_progress progress;
    get_state(file, "progress", &progress, sizeof progress);
    return progress;
}

void restore_train_state(const state_file *file, network *net, layer *dlb) {
    train_progress progress = get_train_progress(file);
    host_random random;
    get_state(file, "random", &random, sizeof random);
    if (dlb)
        get_ring(file, net, dlb);
    use_arrays(net, get_array, (void *)file);
    get_loss_scale(file, net);
    *net->seen = progress.images;
    *net->t = progress.updates;
    set_host_random(&random);
}
