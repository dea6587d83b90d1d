/* How fast the loader alone is: images decoded a second, images augmented a second, and rows a
 * second by number of workers.
 *
 *     loader_speed LIST [SIDE [SECONDS [THREADS]]]     LIST: paths, one a line; default 224, 2, 2
 *
 * Prints one `name value` pair a line, for bench/loader.py to put beside torchvision's. Workers are
 * 1, 2, 4 ... and THREADS. */
#include "classifier_data.h"
#include "fail.h"
#include "image_rows.h"
#include "overlap_loader.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64 };

static augment_settings settings_for(int side) {
    return (augment_settings){.width = side,
                              .height = side,
                              .min_side = side,
                              .max_side = 2 * side,
                              .aspect = 1.33f,
                              .hue = .1f,
                              .saturation = 1.75f,
                              .exposure = 1.75f,
                              .flips = true};
}

static double decoded_a_second(const train_list *list, double seconds) {
    double start = what_time_is_it_now(), end = start;
    int count = 0;
    for (; end - start < seconds; end = what_time_is_it_now()) {
        rgb_image image;
        char *reason;
        if (!decode_image(list->paths[count++ % list->count], &image, &reason))
            fail("%s: %s", list->paths[(count - 1) % list->count], reason);
        free(image.pixels);
    }
    return count / (end - start);
}

static double augmented_a_second(const train_list *list, augment_settings augment, double seconds) {
    rgb_image image;
    char *reason;
    if (!decode_image(list->paths[0], &image, &reason))
        fail("%s: %s", list->paths[0], reason);
    float *row = allocate((size_t)augment.width * (size_t)augment.height * 3, sizeof *row);
    random_stream stream = {1};
    double start = what_time_is_it_now(), end = start;
    int count = 0;
    for (; end - start < seconds; end = what_time_is_it_now(), count++) {
        augmentation drawn = draw_augmentation(&augment, image.width, image.height, &stream);
        render_augmented(&image, &drawn, augment.width, augment.height, row);
    }
    free(row);
    free(image.pixels);
    return count / (end - start);
}

static double loaded_a_second(const classifier_data *data, augment_settings augment, bool overlap,
                              int threads, double seconds) {
    image_rows rows = {.data = data, .augment = augment, .seed = 1};
    loader_settings settings = {.images = data->list.count,
                                .slots = 1,
                                .share = {.shards = 1, .own = 1, .rows = BATCH},
                                .overlap = overlap,
                                .seed = 1,
                                .row_inputs = augment.width * augment.height * 3,
                                .row_truths = 1,
                                .threads = threads,
                                .source = {&rows, load_image_rows}};
    overlap_loader *loader = overlap_loader_create(&settings);
    overlap_loader_next(loader);
    double start = what_time_is_it_now(), end = start;
    int batches = 0;
    for (; end - start < seconds; end = what_time_is_it_now(), batches++)
        if (!overlap_loader_next(loader))
            fail("an image of the list cannot be loaded");
    overlap_loader_free(loader);
    return batches * BATCH / (end - start);
}

int main(int argc, char **argv) {
    if (argc < 2)
        fail("usage: loader_speed LIST [SIDE [SECONDS [THREADS]]]");
    int side = argc > 2 ? atoi(argv[2]) : 224;
    double seconds = argc > 3 ? atof(argv[3]) : 2;
    int most = argc > 4 ? atoi(argv[4]) : 2;
    char *one_class[] = {"no path contains this"};
    classifier_data data = {.classes = 1, .list = train_list_read(argv[1], one_class, 1)};
    augment_settings augment = settings_for(side);
    printf("decode %.1f\n", decoded_a_second(&data.list, seconds));
    printf("augment %.1f\n", augmented_a_second(&data.list, augment, seconds));
    for (int threads = 1; threads <= most;
         threads = threads < most && 2 * threads > most ? most : 2 * threads) {
        printf("load_%d %.1f\n", threads, loaded_a_second(&data, augment, false, threads, seconds));
        printf("overlap_%d %.1f\n", threads,
               loaded_a_second(&data, augment, true, threads, seconds));
    }
    train_list_free(&data.list);
    return 0;
}
