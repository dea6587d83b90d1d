#include "cifar.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fail.h"
#include "file_tree.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, MAX_FILES = 7, TIMES = 5 };

/* The wanted files: those for training, then the one for validation, then the names. */
typedef struct {
    size_t classes, label_bytes;
    size_t coarse_classes; /* 0 without coarse labels */
    size_t train_files;
    const char *files[MAX_FILES];
} cifar_version;

static const cifar_version cifar10 = {
    .classes = 10,
    .label_bytes = 1,
    .train_files = 5,
    .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
              "data_batch_5.bin", "test_batch.bin", "batches.meta.txt"},
};

static const cifar_version cifar100 = {
    .classes = 100,
    .label_bytes = 2,
    .coarse_classes = 20,
    .train_files = 1,
    .files = {"train.bin", "test.bin", "fine_label_names.txt"},
};

typedef struct {
    char *path; /* for messages */
    unsigned char *bytes;
    size_t size;
    size_t count; /* of records */
} source_file;

/* ---- finding the files ---- */

/* Which wanted file this is; the number of wanted files where it is none. Only one folder may lie
 * between it and the top. */
static size_t wanted_index(const cifar_version *version, const char *path) {
    const char *slash = strchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t f = 0, wanted = version->train_files + 2;
    while (f < wanted && strcmp(name, version->files[f]) != 0)
        f++;
    return f;
}

static void find_files(const cifar_version *version, const char *src, source_file *found) {
    size_t wanted = version->train_files + 2;
    file_tree *tree = open_file_tree(src);
    for (const char *path; (path = next_file(tree));) {
        size_t f = wanted_index(version, path);
        if (f == wanted)
            continue;
        if (found[f].path)
            fail("%s holds %s twice: %s and %s/%s", src, version->files[f], found[f].path, src,
                 path);
        found[f].path = format_string("%s/%s", src, path);
        found[f].bytes = (unsigned char *)read_tree_file(tree, &found[f].size);
    }
    close_file_tree(tree);
    for (size_t f = 0; f < wanted; f++)
        if (!found[f].path)
            fail("%s holds no %s", src, version->files[f]);
}

/* ---- checks ---- */

static void check_label(const source_file *file, size_t i, const char *kind, unsigned label,
                        size_t classes) {
    if (label >= classes)
        fail("%s: the %slabel of image %zu of %zu is %u, but only 0 to %zu are classes", file->path,
             kind, i + 1, file->count, label, classes - 1);
}

static void check_records(const cifar_version *version, source_file *file) {
    size_t record = version->label_bytes + (size_t)CHANNELS * PLANE;
    if (file->size == 0 || file->size % record != 0)
        fail(
            "%s is truncated or of another format: %zu bytes are not a multiple of the %zu that an "
            "image and its label take",
            file->path, file->size, record);
    file->count = file->size / record;
    for (size_t i = 0; i < file->count; i++) {
        const unsigned char *label = file->bytes + i * record;
        if (version->coarse_classes)
            check_label(file, i, "coarse ", label[0], version->coarse_classes);
        check_label(file, i, "", label[version->label_bytes - 1], version->classes);
    }
}

/* Tells a file that was cut just between two records. */
static void check_counts(const cifar_version *version, const source_file *files) {
    const source_file *valid = &files[version->train_files];
    for (size_t f = 0; f < version->train_files; f++)
        if (files[f].count * version->train_files != valid->count * TIMES)
            fail("%s holds %zu images and %s holds %zu: one of them is truncated", files[f].path,
                 files[f].count, valid->path, valid->count);
}

/* ---- conversion ---- */

/* to is (SIDE, SIDE, CHANNELS), planes is (CHANNELS, SIDE, SIDE) */
static void interleave(unsigned char *to, const unsigned char *planes) {
    for (size_t at = 0; at < PLANE; at++)
        for (size_t c = 0; c < CHANNELS; c++)
            to[at * CHANNELS + c] = planes[c * PLANE + at];
}

/* Puts the files' images one behind the other; releases the files' bytes on the way. */
static image_set join_files(const cifar_version *version, source_file *files, size_t count) {
    size_t images = 0, next = 0, size = (size_t)CHANNELS * PLANE;
    for (size_t f = 0; f < count; f++)
        images += files[f].count;
    image_set set = new_image_set(images);
    set.pixels = allocate(images, size);
    for (size_t f = 0; f < count; f++) {
        const unsigned char *at = files[f].bytes;
        set.checksum = crc32_z(set.checksum, at, files[f].size);
        for (size_t i = 0; i < files[f].count; i++, next++, at += version->label_bytes + size) {
            set.labels[next] = at[version->label_bytes - 1];
            interleave(set.pixels + next * size, at + version->label_bytes);
        }
        free(files[f].bytes);
        files[f].bytes = NULL;
    }
    return set;
}

static void take_names(data_set *set, size_t classes, source_file *file) {
    const char **names = allocate(classes, sizeof *names);
    size_t count = 0;
    char *rest;
    for (char *line = strtok_r((char *)file->bytes, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest), count++)
        if (count < classes)
            names[count] = line;
    if (count != classes)
        fail("%s holds %zu class names, but there are %zu classes", file->path, count, classes);
    name_classes(set, classes, names);
    free(names);
}

static data_set read_cifar(const cifar_version *version, const char *src) {
    source_file files[MAX_FILES] = {{0}};
    size_t valid = version->train_files, names = valid + 1;
    data_set set = {
        .height = SIDE, .width = SIDE, .channels = CHANNELS, .checked = "pixels and labels"};
    find_files(version, src, files);
    for (size_t f = 0; f <= valid; f++)
        check_records(version, &files[f]);
    check_counts(version, files);
    take_names(&set, version->classes, &files[names]);
    set.sets[TRAIN] = join_files(version, files, version->train_files);
    set.sets[VALID] = join_files(version, &files[valid], 1);
    free(files[names].bytes);
    for (size_t f = 0; f <= names; f++)
        free(files[f].path);
    return set;
}

data_set read_cifar10(const char *src) {
    return read_cifar(&cifar10, src);
}

data_set read_cifar100(const char *src) {
    return read_cifar(&cifar100, src);
}
