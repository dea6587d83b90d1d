#include "prepare.h"

#include <errno.h>
#include <libgen.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "fail.h"
#include "idx_file.h"

/* One half of a data set. */
typedef struct {
    const char *folder; /* "train" or "valid" */
    size_t count, height, width;
    unsigned char *pixels; /* (count, height, width), 8-bit gray; owned */
    unsigned char *labels; /* (count), each below the source's number of classes; owned */
} image_set;

enum { TRAIN, VALID, SETS };

/* A data set that this command knows. Darknet takes as an image's class every label that occurs
 * anywhere in its path, so no label may be part of another one. */
typedef struct {
    const char *name;
    const char *default_folder;
    size_t classes;
    const char *const *labels; /* (classes) */
    const char *const *names;  /* (classes) */
    /* Reads and checks all files in `folder`, or fails. */
    void (*read)(const char *folder, size_t classes, image_set sets[SETS]);
} data_source;

/* A text file to be made; both strings are owned. */
typedef struct {
    char *path;
    char *text;
} text_file;

/* In the order of writing. */
enum { MADE_FROM, TRAIN_LIST, VALID_LIST, LABELS_LIST, NAMES_LIST, DATA_FILE, TEXTS };

typedef struct {
    size_t done, total;
    bool shown;
    struct timespec last;
} progress;

/* ---- sources ---- */

static image_set read_mnist_set(const char *folder, const char *prefix, size_t classes) {
    char *images_name = format_string("%s-images-idx3-ubyte", prefix);
    char *labels_name = format_string("%s-labels-idx1-ubyte", prefix);
    char *images_path = find_idx_file(folder, images_name);
    char *labels_path = find_idx_file(folder, labels_name);
    idx_file images = read_idx_images(images_path, 28, 28);
    idx_file labels = read_idx_labels(labels_path, classes);
    if (images.count != labels.count)
        fail("%s holds %zu images, but %s holds %zu labels", images_path, images.count, labels_path,
             labels.count);
    free(images_name);
    free(labels_name);
    free(images_path);
    free(labels_path);
    return (image_set){NULL, images.count, 28, 28, images.bytes, labels.bytes};
}

static void read_mnist(const char *folder, size_t classes, image_set sets[SETS]) {
    sets[TRAIN] = read_mnist_set(folder, "train", classes);
    sets[VALID] = read_mnist_set(folder, "t10k", classes);
}

static const char *const fashion_labels[] = {
    "c0_tshirt", "c1_trouser", "c2_pullover", "c3_dress", "c4_coat",
    "c5_sandal", "c6_shirt",   "c7_sneaker",  "c8_bag",   "c9_ankle_boot",
};

static const char *const fashion_names[] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

static const data_source sources[] = {
    {"fashion-mnist", "/usr/share/datasets/fashion-mnist", 10, fashion_labels, fashion_names,
     read_mnist},
};

static const char usage[] = "usage: darknet dlb prepare fashion-mnist [SRC] OUT";

static const data_source *find_source(const char *name) {
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(name, sources[i].name) == 0)
            return &sources[i];
    fail("unknown data set \"%s\"; %s", name, usage);
}

/* ---- paths ---- */

/* realpath() that also takes folders which do not exist yet. The caller frees the result. */
static char *absolute_path(const char *path) {
    char *real = realpath(path, NULL);
    if (real)
        return real;
    int reason = errno;
    char *for_dirname = format_string("%s", path), *for_basename = format_string("%s", path);
    const char *name = basename(for_basename);
    if (reason != ENOENT || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        fail("cannot find the folder \"%s\": %s", path, strerror(reason));
    char *parent = absolute_path(dirname(for_dirname));
    char *whole = format_string("%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
    free(for_dirname);
    free(for_basename);
    free(parent);
    return whole;
}

static void check_path(const char *out, const data_source *source) {
    if (strpbrk(out, " \t\n"))
        fail("the path \"%s\" holds a space, tab or newline, which Darknet takes out of paths: "
             "choose another one",
             out);
    for (size_t i = 0; i < source->classes; i++)
        if (strstr(out, source->labels[i]))
            fail("the path %s holds the label %s, so Darknet would take every image in it for one: "
                 "choose another one",
                 out, source->labels[i]);
}

/* Makes the folder at this absolute path and those above it, where they do not exist. */
static void make_folder(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return;
    char *for_dirname = format_string("%s", path);
    make_folder(dirname(for_dirname));
    free(for_dirname);
    if (mkdir(path, 0777) != 0)
        fail("cannot make the folder %s: %s", path, strerror(errno));
}

static char *image_path(const char *out, const data_source *source, const image_set *set,
                        size_t i) {
    return format_string("%s/%s/%s/%05zu.png", out, set->folder, source->labels[set->labels[i]],
                         i + 1);
}

static void rename_or_fail(const char *from, const char *to) {
    if (rename(from, to) != 0)
        fail("cannot rename %s to %s: %s", from, to, strerror(errno));
}

/* ---- images ---- */

/* Writing is by rename, so a file that has its name and is not empty is whole. */
static bool has_content(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > 0;
}

/* With libpng, not with the image writer that Darknet brings: that one hides a full disk. */
static void write_image(const char *path, const image_set *set, size_t i) {
    char *temporary = format_string("%s.tmp", path);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)set->width,
                       .height = (png_uint_32)set->height,
                       .format = PNG_FORMAT_GRAY};
    const unsigned char *pixels = set->pixels + i * set->height * set->width;
    if (!png_image_write_to_file(&image, temporary, 0, pixels, 0, NULL))
        fail("cannot write %s: %s", path, image.message);
    rename_or_fail(temporary, path);
    free(temporary);
}

/* Shown at most ten times a second. Ends in a carriage return, so that whatever is printed next,
 * be it an error, begins at the start of the line. */
static void show_progress(progress *p) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds =
        (double)(now.tv_sec - p->last.tv_sec) + 1e-9 * (double)(now.tv_nsec - p->last.tv_nsec);
    if (!p->shown || seconds < 0.1)
        return;
    fprintf(stderr, "%10zu of %zu images\r", p->done, p->total);
    p->last = now;
}

static size_t count_missing(const char *out, const data_source *source, const image_set *set) {
    size_t missing = 0;
    for (size_t i = 0; i < set->count; i++) {
        char *path = image_path(out, source, set, i);
        missing += !has_content(path);
        free(path);
    }
    return missing;
}

static void write_missing(const char *out, const data_source *source, const image_set *set,
                          progress *p) {
    for (size_t k = 0; k < source->classes; k++) {
        char *folder = format_string("%s/%s/%s", out, set->folder, source->labels[k]);
        make_folder(folder);
        free(folder);
    }
    for (size_t i = 0; i < set->count; i++) {
        char *path = image_path(out, source, set, i);
        if (!has_content(path)) {
            write_image(path, set, i);
            p->done++;
            show_progress(p);
        }
        free(path);
    }
}

static void write_images(const char *out, const data_source *source, const image_set sets[SETS],
                         size_t missing) {
    progress p = {.total = missing, .shown = isatty(STDERR_FILENO)};
    for (int s = 0; s < SETS; s++)
        write_missing(out, source, &sets[s], &p);
    if (p.shown)
        fprintf(stderr, "%50s\r", "");
}

/* ---- text files ---- */

static char *list_images(const char *out, const data_source *source, const image_set *set) {
    char *text;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    for (size_t i = 0; stream && i < set->count; i++) {
        char *path = image_path(out, source, set, i);
        fprintf(stream, "%s\n", path);
        free(path);
    }
    if (!stream || ferror(stream) || fclose(stream) != 0)
        fail("out of memory for a list of %zu images", set->count);
    return text;
}

static char *list_words(const char *const *words, size_t count) {
    char *text = format_string("%s", "");
    for (size_t i = 0; i < count; i++) {
        char *longer = format_string("%s%s\n", text, words[i]);
        free(text);
        text = longer;
    }
    return text;
}

static unsigned long checksum(const image_set *set) {
    unsigned long sum = crc32_z(0, set->pixels, set->count * set->height * set->width);
    return crc32_z(sum, set->labels, set->count);
}

/* Tells a data set that was begun from other files, or another one, from this one. */
static char *describe_source(const data_source *source, const image_set sets[SETS]) {
    return format_string("%s\n"
                         "%zu images for training, CRC-32 of pixels and labels %08lx\n"
                         "%zu images for validation, CRC-32 of pixels and labels %08lx\n",
                         source->name, sets[TRAIN].count, checksum(&sets[TRAIN]), sets[VALID].count,
                         checksum(&sets[VALID]));
}

static char *describe_data(const char *out, const data_source *source) {
    return format_string("classes=%zu\n"
                         "train=%s/train.list\n"
                         "valid=%s/valid.list\n"
                         "labels=%s/labels.list\n"
                         "names=%s/names.list\n"
                         "backup=%s/backup\n"
                         "top=2\n",
                         source->classes, out, out, out, out, out);
}

static void compose_texts(const char *out, const data_source *source, const image_set sets[SETS],
                          text_file texts[TEXTS]) {
    texts[MADE_FROM].path = format_string("%s/made_from.txt", out);
    texts[MADE_FROM].text = describe_source(source, sets);
    texts[TRAIN_LIST].path = format_string("%s/train.list", out);
    texts[TRAIN_LIST].text = list_images(out, source, &sets[TRAIN]);
    texts[VALID_LIST].path = format_string("%s/valid.list", out);
    texts[VALID_LIST].text = list_images(out, source, &sets[VALID]);
    texts[LABELS_LIST].path = format_string("%s/labels.list", out);
    texts[LABELS_LIST].text = list_words(source->labels, source->classes);
    texts[NAMES_LIST].path = format_string("%s/names.list", out);
    texts[NAMES_LIST].text = list_words(source->names, source->classes);
    texts[DATA_FILE].path = format_string("%s/%s.data", out, source->name);
    texts[DATA_FILE].text = describe_data(out, source);
}

/* Whether the file is there. One that holds something else is not ours to overwrite. */
static bool is_written(const text_file *file) {
    if (!has_content(file->path))
        return false;
    size_t length = strlen(file->text);
    char *found = allocate(length + 1, 1);
    FILE *stream = fopen(file->path, "rb");
    if (!stream)
        fail("cannot open %s: %s", file->path, strerror(errno));
    size_t got = fread(found, 1, length + 1, stream);
    if (ferror(stream))
        fail("cannot read %s: %s", file->path, strerror(errno));
    fclose(stream);
    if (got != length || memcmp(found, file->text, length) != 0)
        fail("%s is there already and holds something else than would be written now: choose "
             "another folder, or remove what is in this one",
             file->path);
    free(found);
    return true;
}

static void write_text(const text_file *file) {
    char *temporary = format_string("%s.tmp", file->path);
    FILE *stream = fopen(temporary, "wb");
    if (!stream)
        fail("cannot write %s: %s", file->path, strerror(errno));
    bool good = fputs(file->text, stream) >= 0 && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    int reason = errno;
    if (fclose(stream) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good) {
        unlink(temporary);
        fail("cannot write %s: %s", file->path, strerror(reason));
    }
    rename_or_fail(temporary, file->path);
    free(temporary);
}

/* ---- the command ---- */

/* While images are missing, nothing may say that the data set is complete. */
static void write_data_set(const char *out, const data_source *source, const image_set sets[SETS],
                           const text_file texts[TEXTS], size_t missing) {
    for (int t = MADE_FROM + 1; t < TEXTS; t++)
        if (unlink(texts[t].path) != 0 && errno != ENOENT)
            fail("cannot remove %s: %s", texts[t].path, strerror(errno));
    if (!is_written(&texts[MADE_FROM]))
        write_text(&texts[MADE_FROM]);
    write_images(out, source, sets, missing);
    for (int t = MADE_FROM + 1; t < TEXTS; t++)
        write_text(&texts[t]);
}

static void report(const image_set sets[SETS], const text_file *data_file, const char *remark) {
    printf("%s: %zu images for training and %zu for validation%s\n", data_file->path,
           sets[TRAIN].count, sets[VALID].count, remark);
    if (fflush(stdout) != 0)
        fail("cannot write to standard output: %s", strerror(errno));
}

static void prepare(const data_source *source, const char *folder, const char *out) {
    image_set sets[SETS];
    text_file texts[TEXTS];
    source->read(folder, source->classes, sets);
    sets[TRAIN].folder = "train";
    sets[VALID].folder = "valid";
    compose_texts(out, source, sets, texts);

    bool complete = true;
    for (int t = 0; t < TEXTS; t++)
        complete &= is_written(&texts[t]);
    size_t missing =
        count_missing(out, source, &sets[TRAIN]) + count_missing(out, source, &sets[VALID]);

    char *backup = format_string("%s/backup", out);
    make_folder(backup);
    free(backup);
    if (complete && missing == 0) {
        report(sets, &texts[DATA_FILE], ", already complete");
    } else {
        write_data_set(out, source, sets, texts, missing);
        report(sets, &texts[DATA_FILE], "");
    }
    for (int s = 0; s < SETS; s++) {
        free(sets[s].pixels);
        free(sets[s].labels);
    }
    for (int t = 0; t < TEXTS; t++) {
        free(texts[t].path);
        free(texts[t].text);
    }
}

void run_prepare(int argc, char **argv) {
    if (argc < 5 || argc > 6)
        fail("%s", usage);
    for (int i = 3; i < argc; i++)
        if (argv[i][0] == '-')
            fail("unknown option \"%s\"; %s", argv[i], usage);
    const data_source *source = find_source(argv[3]);
    char *out = absolute_path(argv[argc - 1]);
    check_path(out, source);
    prepare(source, argc == 6 ? argv[4] : source->default_folder, out);
    free(out);
}
