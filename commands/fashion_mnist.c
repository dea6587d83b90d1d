#include "fashion_mnist.h"

#include <stdlib.h>
#include <zlib.h>

#include "fail.h"
#include "idx_file.h"

enum { SIDE = 28, CLASSES = 10 };

static const char *const labels[CLASSES] = {
    "c0_tshirt", "c1_trouser", "c2_pullover", "c3_dress", "c4_coat",
    "c5_sandal", "c6_shirt",   "c7_sneaker",  "c8_bag",   "c9_ankle_boot",
};

static const char *const names[CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

static image_set read_set(const char *folder, const char *prefix) {
    char *images_name = format_string("%s-images-idx3-ubyte", prefix);
    char *labels_name = format_string("%s-labels-idx1-ubyte", prefix);
    char *images_path = find_idx_file(folder, images_name);
    char *labels_path = find_idx_file(folder, labels_name);
    idx_file images = read_idx_images(images_path, SIDE, SIDE);
    idx_file classes = read_idx_labels(labels_path, CLASSES);
    if (images.count != classes.count)
        fail("%s holds %zu images, but %s holds %zu labels", images_path, images.count, labels_path,
             classes.count);
    image_set set = new_image_set(images.count);
    for (size_t i = 0; i < set.count; i++)
        set.labels[i] = classes.bytes[i];
    set.pixels = images.bytes;
    set.checksum = crc32_z(0, images.bytes, images.count * SIDE * SIDE);
    set.checksum = crc32_z(set.checksum, classes.bytes, classes.count);
    free_idx_file(&classes);
    free(images_name);
    free(labels_name);
    free(images_path);
    free(labels_path);
    return set;
}

data_set read_fashion_mnist(const char *src) {
    data_set set = {.height = SIDE, .width = SIDE, .channels = 1, .checked = "pixels and labels"};
    name_classes(&set, CLASSES, names);
    /* Its labels are older than the general rule, and lists that use them are about. */
    for (size_t k = 0; k < CLASSES; k++) {
        free(set.labels[k]);
        set.labels[k] = format_string("%s", labels[k]);
    }
    set.sets[TRAIN] = read_set(src, "train");
    set.sets[VALID] = read_set(src, "t10k");
    return set;
}
