#include "batched_prediction.h"

#include "fail.h"
#include "image_decode.h"
#include "image_planes.h"
#include "network.h"
#include "network_device.h"
#include "overlap_loader.h"
#include "ranks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The loader's source; workers share it. */
typedef struct {
    const prediction_job *job;
    int width, height;
    /* (count); at the end of the list the loader starts over, so that two workers, or one and the
     * consumer, can be at the same image */
    atomic_bool *unreadable;
} fitted_images;

/* The softmax that ends the network, if its inputs are plain logits. */
static const layer *final_softmax(const network *net) {
    int last = net->n - 1;
    while (last > 0 && (net->layers[last].type == COST || net->layers[last].type == DLB_COST))
        last--;
    const layer *l = &net->layers[last];
    bool plain = l->type == SOFTMAX && last > 0 && l->groups == 1 && !l->spatial &&
                 !l->softmax_tree && l->inputs == net->layers[last - 1].outputs;
    return plain ? l : NULL;
}

static bool load_fitted_image(void *context, int number, const row_target *targets, int count,
                              char **reason) {
    fitted_images *images = context;
    rgb_image decoded;
    if (!decode_image(images->job->paths[number], &decoded, reason)) {
        if (!images->job->skip_bad)
            return false;
        free(*reason);
        *reason = NULL;
        images->unreadable[number] = true;
        return true;
    }
    image whole = image_planes(&decoded);
    image fitted = images->job->fit(whole, images->width, images->height);
    size_t floats = (size_t)fitted.w * (size_t)fitted.h * (size_t)fitted.c;
    for (int i = 0; i < count; i++)
        memcpy(targets[i].inputs, fitted.data, floats * sizeof *fitted.data);
    free_image(fitted);
    free_image(whole);
    free(decoded.pixels);
    return true;
}

static overlap_loader *start_loader(const network *net, fitted_images *images) {
    int ranks = rank_count();
    loader_settings settings = {.images = images->job->count,
                                .slots = 1,
                                .share = {ranks, rank_number(), 1, ranks * net->batch, false},
                                .in_order = true,
                                .row_inputs = net->inputs,
                                .threads = images->job->threads,
                                .source = {images, load_fitted_image}};
    return overlap_loader_create(&settings);
}

/* The rows of one batch; `first` is the number of the first image. */
static void use_batch(network *net, const fitted_images *images, const layer *softmax,
                      int64_t first, float *inputs) {
    const prediction_job *job = images->job;
    float *outputs = network_predict(net, inputs);
#ifdef GPU
    if (softmax && gpu_index >= 0)
        cuda_pull_array(softmax[-1].output_gpu, softmax[-1].output,
                        (size_t)softmax->batch * (size_t)softmax->inputs);
#endif
    for (int row = 0; row < net->batch && first + row < job->count; row++) {
        size_t at = (size_t)row * (size_t)net->outputs;
        image_prediction prediction = {.image = (int)first + row,
                                       .outputs = outputs + at,
                                       .logits = softmax ? softmax[-1].output + at : NULL,
                                       .temperature = softmax ? softmax->temperature : 1};
        if (!images->unreadable[first + row])
            job->use(job->context, &prediction);
    }
}

static void name_unreadable(const fitted_images *images) {
    int left_out = 0, count = images->job->count;
    bool *unreadable = allocate((size_t)count, sizeof *unreadable);
    for (int i = 0; i < count; i++)
        unreadable[i] = images->unreadable[i];
    ranks_any(unreadable, (size_t)count);
    for (int i = 0; i < count; i++)
        if (unreadable[i]) {
            fprintf(stderr, "Left out: %s\n", images->job->paths[i]);
            left_out++;
        }
    if (left_out)
        fprintf(stderr, "%d of %d images were left out because they cannot be read\n", left_out,
                count);
    free(unreadable);
}

static bool is_stopped(const prediction_job *job) {
    return job->stops && job->stops();
}

/* Loads the rank's next batch, and uses it where the list has images for it. Returns NULL or what
 * is wrong with an image. */
static char *use_next_batch(overlap_loader *loader, network *net, const fitted_images *images,
                            const layer *softmax, int64_t first) {
    const prediction_job *job = images->job;
    const loaded_batch *batch = overlap_loader_next(loader);
    if (!batch) {
        int number;
        const char *reason = overlap_loader_error(loader, &number);
        return format_string("cannot use %s: %s", job->paths[number], reason);
    }
    if (first < job->count)
        use_batch(net, images, softmax, first, batch->inputs);
    return NULL;
}

/* A [crop] calls rand() in inference, too, once a batch, but not on a GPU. */
static void draw_for_batches_of_others(const network *net, int64_t batches) {
    for (int64_t i = 0; i < batches && !is_on_gpu(net); i++)
        for (int k = 0; k < net->n; k++)
            for (int draws = net->layers[k].flip ? 3 : 2; draws && net->layers[k].type == CROP;
                 draws--)
                (void)rand();
}

/* Whether a rank has an error; *error then is one on all of them. */
static bool has_failed_anywhere(char **error, int *failed_rank) {
    int first = first_failed_rank(*error != NULL);
    if (first < 0)
        return false;
    *failed_rank = first;
    if (!*error)
        *error = format_string("rank %d cannot use an image", *failed_rank);
    return true;
}

char *predict_in_batches(network *net, const prediction_job *job, int *failed_rank) {
    char *error = NULL;
    fitted_images images = {.job = job,
                            .width = net->w,
                            .height = net->h,
                            .unreadable = allocate((size_t)job->count, sizeof *images.unreadable)};
    const layer *softmax = final_softmax(net);
    overlap_loader *loader = start_loader(net, &images);
    int64_t all = (int64_t)rank_count() * net->batch, own = (int64_t)rank_number() * net->batch;
    bool failed = false;
    for (int64_t first = 0; first < job->count && !failed && !is_stopped(job); first += all) {
        int64_t left = (job->count - first + net->batch - 1) / net->batch;
        int64_t batches = left < rank_count() ? left : rank_count();
        error = use_next_batch(loader, net, &images, softmax, first + own);
        draw_for_batches_of_others(net, batches - (rank_number() < batches));
        failed = has_failed_anywhere(&error, failed_rank);
    }
    overlap_loader_free(loader);
    if (!error && job->name_bad)
        name_unreadable(&images);
    free(images.unreadable);
    return error;
}
