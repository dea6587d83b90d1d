#include "show.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "classifier_data.h"
#include "contact_sheet.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "file_bytes.h"
#include "image_rows.h"
#include "number_option.h"
#include "option_list.h"
#include "overlap_loader.h"
#include "quiet_parser.h"
#include "train_checks.h"

enum { MOST_PAIRS = 64 };

static const char usage[] =
    "usage: darknet dlb show DATA CFG -out pairs.png [-seed N] [-iteration N] [-slot N] [-show]";

/* What the user asks for. */
typedef struct {
    char *data_file, *cfg_file;
    char *out; /* NULL without */
    bool window;
    unsigned seed;
    int iteration; /* from 1 */
    int slot;
} request;

/* The loader and what it reads. */
typedef struct {
    network *net;
    classifier_data data;
    image_rows rows;
    overlap_loader *loader;
} training_loader;

/* The first rows of one half of a micro-batch. */
typedef struct {
    int count;
    float *inputs;   /* (count, inputs of the network); owned */
    sample *samples; /* (count); owned */
} half_batch;

/* ---- command line ---- */

static request parse_request(int argc, char **argv) {
    request r = {.seed = (unsigned)take_number(argc, argv, "-seed", 0, UINT_MAX, 1),
                 .iteration = (int)take_number(argc, argv, "-iteration", 1, INT_MAX, 2),
                 .slot = (int)take_number(argc, argv, "-slot", 0, INT_MAX, 0),
                 .out = find_char_arg(argc, argv, "-out", NULL),
                 .window = find_arg(argc, argv, "-show")};
    while (argc > 0 && !argv[argc - 1])
        argc--;
    for (int i = 3; i < argc; i++)
        if (argv[i][0] == '-')
            fail("dlb show has no option %s, or its value is missing; %s", argv[i], usage);
    if (argc != 5)
        fail("%s", usage);
    r.data_file = argv[3];
    r.cfg_file = argv[4];
    return r;
}

/* Before anything is read, so that nobody waits for nothing. */
static void check_request(const request *r) {
    if (!r->out && !r->window)
        fail("dlb show needs -out FILE or -show; %s", usage);
    if (r->iteration == 1)
        fail("-iteration 1: the first iteration revisits nothing; a number from 2 is needed");
    if (r->out && !is_writable_format(r->out))
        fail("-out %s: OpenCV writes no such format; try a name that ends in .png", r->out);
    if (r->window && !getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY"))
        fail("-show needs a display, but neither DISPLAY nor WAYLAND_DISPLAY is set");
}

/* ---- the loader, as training sets it up ---- */

static network *load_network_with_pairs(const request *r) {
    network *net = parse_network_quietly(r->cfg_file);
    layer *dlb = find_dlb_cost_layer(net);
    if (!dlb)
        fail("%s has no [dlb_cost], so no image is revisited and there are no pairs to show",
             r->cfg_file);
    prepare_dlb_cost_training(dlb, net, r->cfg_file);
    if (r->slot >= net->subdivisions)
        fail("-slot %d: %s has subdivisions=%d, slots 0 to %d", r->slot, r->cfg_file,
             net->subdivisions, net->subdivisions - 1);
    return net;
}

/* The members of `t` must not move from here on: the loader points to them. */
static void start_training_loader(training_loader *t, const request *r) {
    t->net = load_network_with_pairs(r);
    t->data = read_classifier_data(r->data_file, r->cfg_file, t->net, NULL);
    check_training_network(t->net, r->cfg_file, &t->data, r->data_file, false);
    t->rows = image_rows_of(t->net, &t->data, r->seed, true);
    loader_settings settings = {
        .images = t->data.list.count,
        .slots = t->net->subdivisions,
        .share = {.shards = 1, .own = 1, .rows = t->net->batch, .halves = true},
        .overlap = true,
        .seed = t->rows.seed,
        .row_inputs = t->net->inputs,
        .row_truths = t->net->truths,
        .threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
        .source = image_rows_source(&t->rows)};
    t->loader = overlap_loader_create(&settings);
}

static void free_training_loader(training_loader *t) {
    overlap_loader_free(t->loader);
    free_classifier_data(&t->data);
    free_network(t->net);
}

static const loaded_batch *next_batch(training_loader *t) {
    const loaded_batch *batch = overlap_loader_next(t->loader);
    if (!batch) {
        int image;
        const char *reason = overlap_loader_error(t->loader, &image);
        fail("cannot use %s of %s: %s", t->data.list.paths[image], t->data.list_file, reason);
    }
    return batch;
}

/* Back to 0..1, where the cfg has mean and std. */
static void denormalise(const training_loader *t, half_batch *half) {
    size_t inputs = (size_t)t->net->inputs;
    if (!t->rows.keys.normalises)
        return;
    for (size_t i = 0; i < (size_t)half->count; i++)
        denormalise_planes(&t->rows.keys.statistics, inputs / IMAGE_CHANNELS,
                           half->inputs + i * inputs);
}

/* Copies rows first, first + 1, ... of the batch, no more than fit on a sheet. */
static half_batch copy_half(const training_loader *t, const loaded_batch *batch, int first) {
    int half = t->net->batch / 2;
    size_t inputs = (size_t)t->net->inputs;
    half_batch copy = {.count = half < MOST_PAIRS ? half : MOST_PAIRS};
    size_t count = (size_t)copy.count;
    copy.inputs = allocate(count * inputs, sizeof *copy.inputs);
    copy.samples = allocate(count, sizeof *copy.samples);
    memcpy(copy.inputs, batch->inputs + (size_t)first * inputs,
           count * inputs * sizeof *copy.inputs);
    memcpy(copy.samples, batch->samples + first, count * sizeof *copy.samples);
    denormalise(t, &copy);
    return copy;
}

static void free_half(half_batch *half) {
    free(half->inputs);
    free(half->samples);
}

/* `now` are the revisited rows of the iteration, `before` the same images when they were new. */
static void load_halves(training_loader *t, const request *r, half_batch *now, half_batch *before) {
    int first = r->slot * t->net->batch;
    const loaded_batch *batch = next_batch(t);
    for (int iteration = 2; iteration < r->iteration; iteration++)
        batch = next_batch(t);
    *before = copy_half(t, batch, first + t->net->batch / 2);
    *now = copy_half(t, next_batch(t), first);
}

/* ---- the sheet ---- */

static char *describe_tiles(const training_loader *t) {
    return format_string("Above: revisited now. Below: the same image one iteration before.%s%s",
                         mixes_rows(&t->rows.keys) ? " Each mixed with another, drawn anew." : "",
                         t->net->random ? " At the cfg's size; random=1 resizes in training." : "");
}

/* For people: names= where the data file has it, as Darknet's predict does. */
static char **read_class_names(char *data_file, int classes, int *count) {
    list *options = read_data_cfg(data_file);
    char *file = option_find_str(options, "names", NULL);
    if (!file)
        file = option_find_str(options, "labels", "data/labels.list");
    char **names = read_lines(file, count);
    if (*count < classes)
        fail("%s has %d class names, but %s has classes=%d", file, *count, data_file, classes);
    free_list_contents(options);
    free_list(options);
    return names;
}

static image_pair *make_pairs(const training_loader *t, const half_batch *now,
                              const half_batch *before, char *const *names) {
    image_pair *pairs = allocate((size_t)now->count, sizeof *pairs);
    size_t inputs = (size_t)t->net->inputs;
    for (int i = 0; i < now->count; i++) {
        assert(now->samples[i].id == before->samples[i].id);
        int label = t->data.list.labels[now->samples[i].image];
        pairs[i] = (image_pair){.above = now->inputs + (size_t)i * inputs,
                                .below = before->inputs + (size_t)i * inputs,
                                .label = label == NO_LABEL ? "no label" : names[label],
                                .id = now->samples[i].id};
    }
    return pairs;
}

static char *describe_pairs(const request *r, const network *net, int shown) {
    int half = net->batch / 2;
    char *which = shown < half ? format_string("the first %d of %d pairs", shown, half)
                               : format_string("%d pair%s", half, half == 1 ? "" : "s");
    char *title = format_string("%s: %s of iteration %d, slot %d, seed %u", r->cfg_file, which,
                                r->iteration, r->slot, r->seed);
    free(which);
    return title;
}

static void write_sheet(const contact_sheet *sheet, const char *path) {
    size_t size;
    char *reason;
    unsigned char *bytes = encode_sheet(sheet, path, &size, &reason);
    if (!bytes)
        fail("cannot make the picture %s: %s", path, reason);
    write_file_bytes(path, bytes, size, false);
    free(bytes);
}

/* In a process of its own, because toolkits abort where the display cannot be reached. */
static void show_window(const contact_sheet *sheet) {
    char *reason;
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        fail("cannot start a process for the window: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* the window goes with the command */
        if (!show_sheet_window(sheet, &reason))
            fail("cannot open a window: %s", reason);
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child)
        fail("cannot wait for the window: %s", strerror(errno));
    if (WIFSIGNALED(status))
        fail("cannot open a window: is there a display that this user may use? -out FILE needs "
             "none");
    if (WEXITSTATUS(status))
        _exit(EXIT_FAILURE); /* the child has said why */
}

static void show_pairs(const request *r, training_loader *t) {
    half_batch now, before;
    int names_count;
    load_halves(t, r, &now, &before);
    char **names = read_class_names(r->data_file, t->data.classes, &names_count);
    char *title = describe_pairs(r, t->net, now.count), *subtitle = describe_tiles(t);
    const network *net = t->net;
    contact_sheet sheet = {.title = title,
                           .subtitle = subtitle,
                           .width = net->w,
                           .height = net->h,
                           .count = now.count,
                           .pairs = make_pairs(t, &now, &before, names)};
    if (r->out) {
        write_sheet(&sheet, r->out);
        printf("%s: %s\n", r->out, title);
    }
    if (fflush(stdout))
        fail("cannot write to standard output: %s", strerror(errno));
    if (r->window)
        show_window(&sheet);
    free((void *)sheet.pairs);
    free(title);
    free(subtitle);
    free_ptrs((void **)names, names_count);
    free_half(&now);
    free_half(&before);
}

/* ---- the command ---- */

void run_show(int argc, char **argv) {
    if (!can_draw_sheets())
        fail("dlb show draws with OpenCV, which this build is without: build with OPENCV=1");
    request r = parse_request(argc, argv);
    check_request(&r);
    training_loader t;
    start_training_loader(&t, &r);
    show_pairs(&r, &t);
    free_training_loader(&t);
}
