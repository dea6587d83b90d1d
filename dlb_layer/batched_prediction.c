#include "batched_prediction.h"

#include "fail.h"
#include "image_decode.h"
#include "image_planes.h"
#include "network.h"
#include "overlap_loader.h"

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
    loader_settings settings = {.images = images->job->count,
                                .slots = 1,
                                .rows = net->batch,
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
    int left_out = 0;
    for (int i = 0; i < images->job->count; i++)
        if (images->unreadable[i]) {
            fprintf(stderr, "Left out: %s\n", images->job->paths[i]);
            left_out++;
        }
    if (left_out)
        fprintf(stderr, "%d of %d images were left out because they cannot be read\n", left_out,
                images->job->count);
}

static bool is_stopped(const prediction_job *job) {
    return job->stops && job->stops();
}

char *predict_in_batches(network *net, const prediction_job *job) {
    char *error = NULL;
    fitted_images images = {.job = job,
                            .width = net->w,
                            .height = net->h,
                            .unreadable = allocate((size_t)job->count, sizeof *images.unreadable)};
    const layer *softmax = final_softmax(net);
    overlap_loader *loader = start_loader(net, &images);
    for (int64_t first = 0; first < job->count && !error && !is_stopped(job); first += net->batch) {
        const loaded_batch *batch = overlap_loader_next(loader);
        if (batch) {
            use_batch(net, &images, softmax, first, batch->inputs);
        } else {
            int number;
            const char *reason = overlap_loader_error(loader, &number);
            error = format_string("cannot use %s: %s", job->paths[number], reason);
        }
    }
    overlap_loader_free(loader);
    if (!error && job->name_bad)
        name_unreadable(&images);
    free(images.unreadable);
    return error;
}
