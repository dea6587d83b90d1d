#include "prepare.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cifar.h"
#include "data_set.h"
#include "fail.h"
#include "fashion_mnist.h"
#include "folders.h"
#include "image_folder.h"
#include "image_writer.h"
#include "label_noise.h"
#include "prepare_options.h"
#include "subset.h"
#include "text_file.h"
#include "tiny_imagenet.h"

/* A data set that this command knows. */
typedef struct {
    const char *name;
    const char *default_src;           /* NULL: SRC must be given */
    data_set (*read)(const char *src); /* reads and checks all of it, or fails */
} data_source;

static const data_source sources[] = {
    {"fashion-mnist", "/usr/share/datasets/fashion-mnist", read_fashion_mnist},
    {"cifar10", NULL, read_cifar10},
    {"cifar100", NULL, read_cifar100},
    {"tinyimagenet", NULL, read_tiny_imagenet},
    {"folder", NULL, read_image_folder},
};

static const char usage[] =
    "usage: darknet dlb prepare fashion-mnist|cifar10|cifar100|tinyimagenet|folder SRC OUT "
    "[-subset N [-subset_seed S]] [-noise P [-noise_seed S]] (fashion-mnist: SRC may be left out)";

/* In the order of writing. */
enum {
    MADE_FROM,
    TRAIN_LIST,
    TRAIN_CLEAN_LIST, /* without text where there is no noise */
    VALID_LIST,
    LABELS_LIST,
    NAMES_LIST,
    DATA_FILE,
    TEXTS
};

/* What is being made. */
typedef struct {
    const data_source *source;
    prepare_options options;
    char *out; /* absolute */
    data_set set;
    int *noisy; /* (images for training); NULL without noise */
    text_file texts[TEXTS];
} preparation;

static const data_source *find_source(const char *name) {
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(name, sources[i].name) == 0)
            return &sources[i];
    fail("unknown data set \"%s\"; %s", name, usage);
}

/* ---- checks ---- */

static void check_out(const preparation *p) {
    if (strpbrk(p->out, " \t\n"))
        fail("the path \"%s\" holds a space, tab or newline, which Darknet takes out of paths: "
             "choose another one",
             p->out);
    for (size_t k = 0; k < p->set.classes; k++)
        if (strstr(p->out, p->set.labels[k]))
            fail("the path %s holds the label %s, so Darknet would take every image in it for one: "
                 "choose another one",
                 p->out, p->set.labels[k]);
}

static void check_options(const preparation *p) {
    if (p->options.subset > p->set.sets[TRAIN].count)
        fail("-subset %zu asks for more images than the %zu there are for training",
             p->options.subset, p->set.sets[TRAIN].count);
    if (p->options.noise > 0 && p->set.classes < 2)
        fail("-noise needs two classes, but there is just \"%s\"", p->set.names[0]);
}

/* ---- text files ---- */

static FILE *open_text(char **text, size_t *length) {
    FILE *stream = open_memstream(text, length);
    if (!stream)
        fail("out of memory for a text");
    return stream;
}

static void close_text(FILE *stream) {
    bool good = !ferror(stream);
    if (fclose(stream) != 0 || !good)
        fail("out of memory for a text");
}

/* The class of an image is in its path where this command made the path; a second column names it
 * where it did not, or where `labels` are not the set's own. */
static char *list_images(const preparation *p, int s, const int *labels) {
    const image_set *half = &p->set.sets[s];
    bool column = labels != half->labels || stays_in_place(&p->set);
    char *text;
    size_t length;
    FILE *stream = open_text(&text, &length);
    for (size_t i = 0; i < half->count; i++) {
        char *path = image_path(p->out, &p->set, s, i);
        fprintf(stream, "%s%s%s\n", path, column ? "\t" : "",
                column ? p->set.labels[labels[i]] : "");
        free(path);
    }
    close_text(stream);
    return text;
}

static char *list_words(char *const *words, size_t count) {
    char *text;
    size_t length;
    FILE *stream = open_text(&text, &length);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s\n", words[i]);
    close_text(stream);
    return text;
}

/* Tells a data set that was begun from other files or with other options from this one. `set` is
 * what was read, with nothing left out yet. */
static char *describe_source(const preparation *p, const data_set *set) {
    const prepare_options *o = &p->options;
    char *text;
    size_t length;
    FILE *stream = open_text(&text, &length);
    fprintf(stream, "%s\n", p->source->name);
    fprintf(stream, "%zu images for training, CRC-32 of %s %08lx\n", set->sets[TRAIN].count,
            set->checked, set->sets[TRAIN].checksum);
    fprintf(stream, "%zu images for validation, CRC-32 of %s %08lx\n", set->sets[VALID].count,
            set->checked, set->sets[VALID].checksum);
    if (o->subset)
        fprintf(stream, "-subset %zu -subset_seed %llu\n", o->subset,
                (unsigned long long)o->subset_seed);
    if (o->noise > 0)
        fprintf(stream, "-noise %.17g -noise_seed %llu\n", o->noise,
                (unsigned long long)o->noise_seed);
    close_text(stream);
    return text;
}

static char *describe_data(const preparation *p) {
    return format_string("classes=%zu\n"
                         "train=%s/train.list\n"
                         "valid=%s/valid.list\n"
                         "labels=%s/labels.list\n"
                         "names=%s/names.list\n"
                         "backup=%s/backup\n"
                         "top=%d\n",
                         p->set.classes, p->out, p->out, p->out, p->out, p->out,
                         p->set.classes > 10  ? 5
                         : p->set.classes > 1 ? 2
                                              : 1);
}

static void compose_texts(preparation *p) {
    text_file *texts = p->texts;
    const int *labels = p->set.sets[TRAIN].labels;
    texts[MADE_FROM].path = format_string("%s/made_from.txt", p->out);
    texts[TRAIN_LIST].path = format_string("%s/train.list", p->out);
    texts[TRAIN_LIST].text = list_images(p, TRAIN, p->noisy ? p->noisy : labels);
    texts[TRAIN_CLEAN_LIST].path = format_string("%s/train_clean.list", p->out);
    texts[TRAIN_CLEAN_LIST].text = p->noisy ? list_images(p, TRAIN, labels) : NULL;
    texts[VALID_LIST].path = format_string("%s/valid.list", p->out);
    texts[VALID_LIST].text = list_images(p, VALID, p->set.sets[VALID].labels);
    texts[LABELS_LIST].path = format_string("%s/labels.list", p->out);
    texts[LABELS_LIST].text = list_words(p->set.labels, p->set.classes);
    texts[NAMES_LIST].path = format_string("%s/names.list", p->out);
    texts[NAMES_LIST].text = list_words(p->set.names, p->set.classes);
    texts[DATA_FILE].path = format_string("%s/%s.data", p->out, p->source->name);
    texts[DATA_FILE].text = describe_data(p);
}

/* ---- the command ---- */

static void read_source(preparation *p) {
    const prepare_options *o = &p->options;
    image_set *train = &p->set.sets[TRAIN];
    p->set = p->source->read(o->src ? o->src : p->source->default_src);
    check_out(p);
    check_options(p);
    p->texts[MADE_FROM].text = describe_source(p, &p->set);
    if (o->subset)
        keep_subset(train, p->set.classes, o->subset, o->subset_seed);
    if (o->noise > 0)
        p->noisy =
            add_label_noise(train->labels, train->count, p->set.classes, o->noise, o->noise_seed);
    compose_texts(p);
}

static bool all_texts_written(const preparation *p) {
    bool complete = true;
    for (int t = 0; t < TEXTS; t++)
        if (p->texts[t].text)
            complete &= is_written(&p->texts[t]);
    return complete;
}

/* While images are missing, nothing may say that the data set is complete. */
static void write_data_set(const preparation *p, size_t missing) {
    for (int t = MADE_FROM + 1; t < TEXTS; t++)
        if (p->texts[t].text && unlink(p->texts[t].path) != 0 && errno != ENOENT)
            fail("cannot remove %s: %s", p->texts[t].path, strerror(errno));
    if (!is_written(&p->texts[MADE_FROM]))
        write_text_file(&p->texts[MADE_FROM]);
    write_missing_images(p->out, &p->set, missing);
    for (int t = MADE_FROM + 1; t < TEXTS; t++)
        if (p->texts[t].text)
            write_text_file(&p->texts[t]);
}

static void report(const preparation *p, const char *remark) {
    const image_set *train = &p->set.sets[TRAIN];
    size_t flipped = 0;
    for (size_t i = 0; p->noisy && i < train->count; i++)
        flipped += p->noisy[i] != train->labels[i];
    if (p->noisy)
        printf("label noise: %zu of %zu labels for training changed, %.4g %%\n", flipped,
               train->count, 100.0 * (double)flipped / (double)train->count);
    printf("%s: %zu images for training and %zu for validation%s\n", p->texts[DATA_FILE].path,
           train->count, p->set.sets[VALID].count, remark);
    if (fflush(stdout) != 0)
        fail("cannot write to standard output: %s", strerror(errno));
}

static void release(preparation *p) {
    free_data_set(&p->set);
    free(p->noisy);
    free(p->out);
    for (int t = 0; t < TEXTS; t++) {
        free(p->texts[t].path);
        free(p->texts[t].text);
    }
}

void run_prepare(int argc, char **argv) {
    preparation p = {.options = read_prepare_options(argc - 3, argv + 3, usage)};
    p.source = find_source(p.options.data_set);
    if (!p.options.src && !p.source->default_src)
        fail("%s needs SRC and OUT; %s", p.source->name, usage);
    p.out = absolute_path(p.options.out);
    read_source(&p);

    bool complete = all_texts_written(&p);
    size_t missing = count_missing(p.out, &p.set);
    char *backup = format_string("%s/backup", p.out);
    make_folder(backup);
    free(backup);
    if (!complete || missing)
        write_data_set(&p, missing);
    report(&p, complete && !missing ? ", already complete" : "");
    release(&p);
}
