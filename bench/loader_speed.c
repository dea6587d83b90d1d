/* How fast the loader alone is: images decoded a second, images augmented a second, and rows a
 * second by number of workers, rendered or, as for augment_on_gpu=1, only decoded and drawn.
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

typedef struct {
    bool overlap; /* half of the rows revisited */
    bool draws;   /* rendering is left to a GPU */
    int threads;
} work;

static double loaded_a_second(const classifier_data *data, augment_settings augment, work how,
                              double seconds) {
    image_rows rows = {.data = data, .augment = augment, .seed = 1, .batch_rows = BATCH};
    if (how.draws)
        draw_image_rows(&rows, 1, (batch_memory){NULL, NULL});
    loader_settings settings = {.images = data->list.count,
                                .slots = 1,
                                .share = {.shards = 1, .own = 1, .rows = BATCH},
                                .overlap = how.overlap,
                                .seed = 1,
                                .row_inputs = row_inputs_of(&rows),
                                .row_truths = 1,
                                .threads = how.threads,
                                .source = image_rows_source(&rows)};
    overlap_loader *loader = overlap_loader_create(&settings);
    overlap_loader_next(loader);
    double start = what_time_is_it_now(), end = start;
    int batches = 0;
    for (; end - start < seconds; end = what_time_is_it_now(), batches++)
        if (!overlap_loader_next(loader))
            fail("an image of the list cannot be loaded");
    overlap_loader_free(loader);
    free_drawn_rows(&rows);
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
        for (int draws = 0; draws < 2; draws++)
            for (int overlap = 0; overlap < 2; overlap++)
                printf("%s%s_%d %.1f\n", draws ? "drawn_" : "", overlap ? "overlap" : "load",
                       threads,
                       loaded_a_second(&data, augment, (work){overlap, draws, threads}, seconds));
    }
    train_list_free(&data.list);
    return 0;
}
