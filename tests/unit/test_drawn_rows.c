/* Rows that a device renders: the kernel against the CPU's rendering, the pool that pixels wait in,
 * and whole trainings' rows from the loader, sent to a device that copies as late as it may. Bits
 * are equal on the CPU, where the kernel's lines are compiled as the CPU's are. No compiler may
 * fuse products and sums; still, equal bits are not asked for on a card, where this has never run.
 */
#include "fail.h"
#include "small_network.h"

#include "scratch.h"

#include "cuda_on_cpu.h"

#include "test_device.h"

#include "augment.h"
#include "cutout.h"
#include "device_input.h"
#include "drawn_rows.h"
#include "image_rows.h"
#include "recipe.h"
#include "render_blocks.h"
#include "staged_rows.h"

#include <math.h>

enum { THREADS = 4 };
static const double TOLERANCE = 1e-5; /* on a card; see above */

static void kernel(void *pass) {
    render_rows_kernel(*(render_pass *)pass);
}

static void render_on_cpu(render_pass pass) {
    size_t pixels = pass.count * (size_t)pass.settings.width * (size_t)pass.settings.height;
    run_on_cpu(kernel, &pass, (int)((pixels + THREADS - 1) / THREADS), THREADS);
}

/* ---- the kernel beside the CPU's rendering ---- */

enum { ROWS_A_DRAW = 3, MOST_SIDE = 60, MOST_CROP = 14, MOST_INPUTS = 3 * MOST_CROP * MOST_CROP };

static int size_up_to(random_stream *stream, int most) {
    return 1 + (int)random_below(stream, (uint64_t)most);
}

/* Every second one of each kind. */
static augment_settings draw_settings(random_stream *stream, uint64_t kind) {
    augment_settings s = {.width = size_up_to(stream, MOST_CROP),
                          .height = size_up_to(stream, MOST_CROP),
                          .min_side = size_up_to(stream, 40),
                          .max_side = size_up_to(stream, 80),
                          .angle = kind & 1 ? 180 : 0,
                          .aspect = kind & 2 ? .5f : 1,
                          .saturation = 1,
                          .exposure = 1,
                          .flips = true,
                          .pads = kind & 8,
                          .pad = size_up_to(stream, 5)};
    if (kind & 4) {
        s.hue = .3f;
        s.saturation = 2;
        s.exposure = 1.5f;
    }
    return s;
}

static void draw_bytes(random_stream *stream, unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = random_bits(stream);
        bytes[i] = (unsigned char)(bits >> 60 == 0 ? 0 : bits >> 60 == 1 ? 255 : bits);
    }
}

typedef struct {
    augment_settings augment;
    channel_statistics statistics;
    bool normalises;
    int cutout;                /* 0: none */
    float inputs[MOST_INPUTS]; /* what the CPU makes of the row drawn last */
} cpu_rows;

static void finish_on_cpu(cpu_rows *cpu, const row_picture *picture) {
    size_t plane = (size_t)cpu->augment.width * (size_t)cpu->augment.height;
    if (cpu->normalises)
        normalise_planes(&cpu->statistics, plane, cpu->inputs, cpu->inputs);
    if (picture->is_cut)
        cut_out(picture->cut, cpu->augment.width, cpu->augment.height, cpu->inputs);
}

/* An image of its own size, or with pad_crop one of the crop's as bytes or as planes. `pixels` has
 * room for any. */
static row_picture draw_row(cpu_rows *cpu, random_stream *stream, unsigned char *pixels) {
    const augment_settings *s = &cpu->augment;
    bool is_tiny = random_below(stream, 8) == 0;
    row_picture p = {.width = s->pads   ? s->width
                              : is_tiny ? 1
                                        : size_up_to(stream, MOST_SIDE),
                     .height = s->pads   ? s->height
                               : is_tiny ? 1
                                         : size_up_to(stream, MOST_SIDE),
                     .is_planes = s->pads && random_below(stream, 2),
                     .is_cut = cpu->cutout > 0};
    size_t values = 3 * (size_t)p.width * (size_t)p.height, plane = values / 3;
    float planes[MOST_INPUTS];
    draw_bytes(stream, pixels, values);
    for (size_t i = 0; i < values && s->pads; i++)
        planes[i] = p.is_planes ? random_uniform(stream, 0, 1)
                                : (float)(pixels[3 * (i % plane) + i / plane] / 255.);
    if (p.is_planes)
        memcpy(pixels, planes, values * sizeof *planes);
    if (s->pads) {
        p.drawn = draw_pad_crop(s, stream);
        render_pad_crop(planes, &p.drawn, s, cpu->inputs);
    } else {
        rgb_image image = {p.width, p.height, pixels};
        p.drawn = draw_augmentation(s, p.width, p.height, stream);
        p.geometry = crop_geometry_of(&p.drawn);
        render_augmented(&image, &p.drawn, s->width, s->height, cpu->inputs);
    }
    if (p.is_cut)
        p.cut = draw_cutout(cpu->cutout, s->width, s->height, stream);
    finish_on_cpu(cpu, &p);
    return p;
}

static void a_row_is_rendered_as_on_the_cpu(void **state) {
    (void)state;
    enum { DRAWS = 16 * 4 * 6, ROOM = 3 * MOST_SIDE * MOST_SIDE * (int)sizeof(float) };
    random_stream stream = {17};
    unsigned char *pixels = calloc(ROWS_A_DRAW, ROOM);
    float *expected = calloc(ROWS_A_DRAW, MOST_INPUTS * sizeof *expected);
    float *inputs = calloc(ROWS_A_DRAW, MOST_INPUTS * sizeof *inputs);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        drawn_row rows[ROWS_A_DRAW] = {{{0}}};
        cpu_rows cpu = {.augment = draw_settings(&stream, draw % 16),
                        .statistics = {{.5f, .4f, .3f}, {.25f, .2f, .1f}},
                        .normalises = draw / 16 % 2,
                        .cutout = draw / 32 % 2 ? size_up_to(&stream, 8) : 0};
        size_t values = 3 * (size_t)cpu.augment.width * (size_t)cpu.augment.height;
        for (size_t i = 0; i < ROWS_A_DRAW; i++) {
            rows[i].own = draw_row(&cpu, &stream, pixels + i * ROOM);
            rows[i].own.at = i * ROOM;
            memcpy(expected + i * values, cpu.inputs, values * sizeof *expected);
        }
        render_on_cpu((render_pass){.settings = {.width = cpu.augment.width,
                                                 .height = cpu.augment.height,
                                                 .pads = cpu.augment.pads,
                                                 .pad = cpu.augment.pad,
                                                 .normalises = cpu.normalises,
                                                 .statistics = cpu.statistics},
                                    .rows = rows,
                                    .pixels = pixels,
                                    .inputs = inputs,
                                    .count = ROWS_A_DRAW});
        for (size_t i = 0; i < ROWS_A_DRAW * values; i++)
            if (inputs[i] != expected[i])
                fail_msg("draw %d, row %zu, value %zu of 3x%dx%d is %.9g, the CPU has %.9g",
                         (int)draw, i / values, i % values, cpu.augment.height, cpu.augment.width,
                         inputs[i], expected[i]);
    }
    free(pixels);
    free(expected);
    free(inputs);
}

/* ---- the pool ---- */

enum { TAKERS = 4, TAKES = 50 };

typedef struct {
    pixel_pool *pool;
    unsigned char mark; /* that of this thread */
    size_t at[TAKES], bytes[TAKES];
} taker;

static void *take_and_fill(void *argument) {
    taker *t = argument;
    random_stream stream = {t->mark};
    for (int i = 0; i < TAKES; i++) {
        t->bytes[i] = 1 + random_below(&stream, 400);
        memset(pixel_pool_take(t->pool, t->bytes[i], &t->at[i]), t->mark + i, t->bytes[i]);
    }
    return NULL;
}

static int blocks_made, blocks_left;

static float *make_block(size_t count) {
    blocks_made++;
    blocks_left++;
    return calloc(count, sizeof(float));
}

static void drop_block(float *block) {
    blocks_left -= block != NULL;
    free(block);
}

/* What its pieces are to a device; 0xff where there is none. */
static unsigned char *whole_pool(const pixel_pool *pool, int *count) {
    size_t bytes = pixel_pool_bytes(pool);
    unsigned char *whole = memset(malloc(bytes), 0xff, bytes);
    const pixel_piece *pieces = pixel_pool_pieces(pool, count);
    for (int i = 0; i < *count; i++) {
        assert_true(pieces[i].at + pieces[i].bytes <= bytes);
        memcpy(whole + pieces[i].at, pieces[i].from, pieces[i].bytes);
    }
    return whole;
}

static void fill_by_threads(pixel_pool *pool, taker *takers) {
    pthread_t threads[TAKERS];
    for (int i = 0; i < TAKERS; i++) {
        takers[i].pool = pool;
        takers[i].mark = (unsigned char)(1 + TAKES * i);
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_fill, &takers[i]), 0);
    }
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
}

static void a_pool_has_what_all_threads_put_there(void **state) {
    (void)state;
    static taker takers[TAKERS];
    int count;
    pixel_pool *pool = pixel_pool_create((batch_memory){make_block, drop_block});
    for (int round = 0; round < 4; round++) {
        pixel_pool_empty(pool);
        fill_by_threads(pool, takers);
        unsigned char *whole = whole_pool(pool, &count);
        assert_int_equal(count, round ? 1 : TAKERS * TAKES); /* a block where once was none */
        for (int i = 0; i < TAKERS * TAKES; i++) {
            const taker *t = &takers[i / TAKES];
            assert_true(t->at[i % TAKES] % sizeof(float) == 0);
            for (size_t k = 0; k < t->bytes[i % TAKES]; k++)
                assert_int_equal(whole[t->at[i % TAKES] + k], t->mark + i % TAKES);
        }
        free(whole);
    }
    assert_int_equal(blocks_made, 1);
    pixel_pool_free(pool);
    pixel_pool_free(NULL);
    assert_int_equal(blocks_left, 0);
}

/* A block that is full, and what goes on behind it. */
static void what_does_not_fit_into_the_block_follows_it(void **state) {
    (void)state;
    size_t at;
    int count;
    pixel_pool *pool = pixel_pool_create((batch_memory){NULL, NULL});
    pixel_pool_take(pool, 100, &at);
    pixel_pool_empty(pool);
    for (int i = 0; i < 5; i++)
        memset(pixel_pool_take(pool, 60, &at), i + 1, 60);
    unsigned char *whole = whole_pool(pool, &count);
    assert_int_equal(count, 1 + 3); /* two fit into the block */
    assert_int_equal(at, 4 * 64);
    for (int i = 0; i < 5; i++)
        assert_true(whole[i * 64] == i + 1 && whole[i * 64 + 59] == i + 1);
    free(whole);
    pixel_pool_empty(pool);
    assert_int_equal(pixel_pool_bytes(pool), 0);
    for (int i = 0; i < 5; i++)
        pixel_pool_take(pool, 60, &at);
    free(whole_pool(pool, &count));
    assert_int_equal(count, 1);
    pixel_pool_free(pool);
}

/* ---- images ---- */

enum { IMAGES = 15, SIDE = 6, CLASSES = 3, SEED = 8, SLOTS = 2, ROWS = 8 };

/* Some have the network's size. */
static void write_image(int image) {
    static const int sizes[][2] = {{SIDE, SIDE}, {SIDE, SIDE}, {9, 7}, {1, 1}, {5, 13}};
    const int *size = sizes[image % 5];
    char name[32];
    unsigned char bytes[32 + 3 * 13 * 13];
    random_stream stream = {(uint64_t)image};
    int head = snprintf((char *)bytes, 32, "P6\n%d %d\n255\n", size[0], size[1]);
    size_t count = 3 * (size_t)(size[0] * size[1]);
    draw_bytes(&stream, bytes + head, count);
    snprintf(name, sizeof name, "%d_k%d.ppm", image, image % CLASSES);
    write_scratch(name, bytes, (size_t)head + count);
}

static void write_text(const char *name, const char *text) {
    write_scratch(name, text, strlen(text));
}

typedef struct {
    network *net;
    classifier_data data;
} setting;

/* As use_device() chose where. */
static setting prepare(const char *keys) {
    char text[2048], list[2048] = "";
    setting s;
    for (int i = 0; i < IMAGES; i++) {
        write_image(i);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s/%d_k%d.ppm\n", scratch_folder,
                 i, i % CLASSES);
    }
    write_text("train.list", list);
    write_text("labels", "k0\nk1\nk2\n");
    snprintf(text, sizeof text, "classes=3\ntrain=%s\nlabels=%s\nbackup=.\n", scratch("train.list"),
             scratch("labels"));
    write_text("x.data", text);
    snprintf(text, sizeof text,
             "[net]\nbatch=%d\nsubdivisions=%d\nwidth=%d\nheight=%d\nchannels=3\nmomentum=.9\n"
             "learning_rate=.05\nmax_batches=100\n%s\n"
             "[connected]\noutput=3\nactivation=linear\n[softmax]\n",
             SLOTS * ROWS, SLOTS, SIDE, SIDE, keys);
    write_text("x.cfg", text);
    srand(3);
    s.net = parse_network_cfg((char *)scratch("x.cfg"));
    s.data = read_classifier_data((char *)scratch("x.data"), "x.cfg", s.net, NULL);
    allow_recipe_training(s.net);
    return s;
}

static void clean_up(setting *s) {
    free_classifier_data(&s->data);
    free_network(s->net);
}

/* ---- a loader, one of two ranks' if `shards` is 2 ---- */

typedef struct {
    image_rows rows;
    overlap_loader *loader;
    const loaded_batch *batch;
    int micro; /* rows of a micro-batch */
} source;

static void start(source *s, const setting *of, bool overlap, bool draws, int shards, int threads) {
    row_share share = {
        .shards = shards, .first = shards - 1, .own = 1, .rows = ROWS, .halves = overlap};
    s->rows = image_rows_of(of->net, &of->data, SEED, overlap);
    s->micro = ROWS / shards;
    s->rows.batch_rows = SLOTS * s->micro;
    if (draws)
        draw_image_rows(&s->rows, SLOTS, (batch_memory){NULL, NULL});
    loader_settings settings = {.images = IMAGES,
                                .slots = SLOTS,
                                .share = share,
                                .overlap = overlap,
                                .seed = SEED,
                                .row_inputs = row_inputs_of(&s->rows),
                                .row_truths = CLASSES,
                                .threads = threads,
                                .skip_bad = true,
                                .source = image_rows_source(&s->rows)};
    s->loader = overlap_loader_create(&settings);
}

static void stop(source *s) {
    overlap_loader_free(s->loader);
    free_drawn_rows(&s->rows);
}

/* random=1 */
static void resize(source *s, int width, int height) {
    overlap_loader_pause(s->loader);
    s->rows.augment.width = width;
    s->rows.augment.height = height;
    overlap_loader_reload(s->loader, row_inputs_of(&s->rows));
}

static drawn_block block_of(const source *s, const loaded_batch *batch, int slot) {
    render_settings settings = render_settings_of(&s->rows);
    return drawn_rows_block(s->rows.drawn, batch, &settings, slot);
}

static const float *truths_of(const source *s, const loaded_batch *batch, int slot) {
    return batch->truths + slot * s->micro * CLASSES;
}

/* ---- a device that copies as late as it may ---- */

typedef struct {
    network *net; /* NULL: this device is the CPU */
    staged_rows staged;
    drawn_block under_way; /* count 0: nothing */
    bool takes_late;       /* not before they arrive by themselves */
    unsigned char *parts[DRAWN_PARTS];
    size_t room[DRAWN_PARTS];
    float waiting[ROWS * MOST_INPUTS], inputs[ROWS * MOST_INPUTS];
} device;

static void make_room(void *context, drawn_part part, size_t bytes) {
    device *d = context;
    free(d->parts[part]);
    d->parts[part] = memset(malloc(bytes), 0xff, bytes);
    d->room[part] = bytes;
}

static void copy(void *context, drawn_part part, size_t at, const void *from, size_t bytes) {
    const device *d = context;
    assert_true(at + bytes <= d->room[part]);
    memcpy(d->parts[part] + at, from, bytes);
}

static void render(void *context, const render_settings *settings, size_t count) {
    device *d = context;
    render_on_cpu((render_pass){.settings = *settings,
                                .rows = (const drawn_row *)(void *)d->parts[DRAWN_ROWS],
                                .pixels = d->parts[DRAWN_PIXELS],
                                .inputs = d->waiting,
                                .count = count});
}

static void arrive(void *context) {
    device *d = context;
    row_painter painter = {d, make_room, copy, render};
    if (d->under_way.count)
        send_drawn_block(&d->under_way, &painter);
    d->under_way.count = 0;
}

static void lazy_send(void *context, const row_block *rows) {
    device *d = context;
    arrive(d);
    d->under_way = *rows->drawn;
}

static void lazy_take(void *context, const row_block *rows) {
    device *d = context;
    (void)rows;
    if (d->takes_late)
        return;
    arrive(d);
    memcpy(d->inputs, d->waiting, sizeof d->inputs);
}

static device *make_device(const setting *s) {
    device *d = allocate(1, sizeof *d);
    d->staged.carrier = (row_carrier){d, lazy_send, lazy_take, arrive};
    if (gpu_index >= 0) {
        d->net = s->net;
        create_device_input(d->net);
    }
    return d;
}

static void free_device(device *d) {
    if (d->net)
        free_device_input(d->net);
    for (int part = 0; part < DRAWN_PARTS; part++)
        free(d->parts[part]);
    free(d);
}

static row_block staged_block(const drawn_block *block, const float *truths) {
    return (row_block){(const float *)(const void *)block->rows, truths, 1, 1, block};
}

static void send_to(device *d, const source *s, const loaded_batch *batch, int slot) {
    drawn_block block = block_of(s, batch, slot);
    row_block rows = staged_block(&block, truths_of(s, batch, slot));
    if (d->net)
        send_drawn_input(d->net, &block, truths_of(s, batch, slot));
    else
        send_rows(&d->staged, &rows);
}

static void take_from(device *d, const source *s, const loaded_batch *batch, int slot) {
    drawn_block block = block_of(s, batch, slot);
    row_block rows = staged_block(&block, truths_of(s, batch, slot));
    if (!d->net) {
        assert_true(take_rows(&d->staged, &rows));
        return;
    }
    float *inputs = d->net->input, *truths = d->net->truth;
    d->net->input = (float *)(void *)block.rows;
    d->net->truth = batch->truths + slot * s->micro * CLASSES;
    assert_int_equal(take_device_input(d->net), 1);
    d->net->input = inputs;
    d->net->truth = truths;
}

/* What was taken last is in d->inputs then. */
static void pull_taken(device *d) {
#ifdef GPU
    if (d->net)
        cuda_pull_array(d->net->input_gpu, d->inputs, (size_t)(d->net->batch * d->net->inputs));
#else
    (void)d;
#endif
}

static void settle(device *d, bool forget) {
    if (!d->net)
        settle_rows(&d->staged, forget);
    else if (forget)
        forget_device_input(d->net);
    else
        settle_device_input(d->net);
}

/* ---- trainings' rows ---- */

/* After the next rows were sent, so that these are seen to be in nobody's way. */
static void compare_slot(device *d, const source *host, int slot, const char *keys) {
    int row = row_inputs_of(&host->rows);
    const float *expected = host->batch->inputs + slot * host->micro * row;
    double tolerance = d->net ? TOLERANCE : 0;
    pull_taken(d);
    for (int i = 0; i < host->micro * row; i++)
        if (!(fabs((double)d->inputs[i] - expected[i]) <= tolerance))
            fail_msg("%s: slot %d, row %d, value %d is %.9g, the CPU has %.9g", keys, slot, i / row,
                     i % row, d->inputs[i], expected[i]);
}

static void compare_truths(const source *drawing, const source *host) {
    assert_memory_equal(drawing->batch->truths, host->batch->truths,
                        (size_t)host->rows.batch_rows * CLASSES * sizeof(float));
}

static void mark_needed(unsigned char *needed, const row_picture *picture) {
    size_t bytes = 3 * (size_t)picture->width * (size_t)picture->height;
    if (picture->is_planes)
        bytes *= sizeof(float);
    memset(needed + picture->at, 1, (bytes + 15) / 16 * 16); /* as the pool rounds them */
}

/* A micro-batch's pool has its rows' images and their partners', and no others. */
static void check_pool(const source *drawing, int slot) {
    drawn_block block = block_of(drawing, drawing->batch, slot);
    size_t bytes = pixel_pool_bytes(block.pixels);
    unsigned char *needed = calloc(bytes + 16, 1);
    for (size_t row = 0; row < block.count; row++) {
        mark_needed(needed, &block.rows[row].own);
        if (block.rows[row].blends || block.rows[row].pastes)
            mark_needed(needed, &block.rows[row].partner);
    }
    assert_null(memchr(needed, 0, bytes));
    free(needed);
}

/* As classifier_train.c goes about it; `waits`: until the next iteration's rows are there to be
 * sent ahead. */
static void train_on_rows(device *d, source *drawing, source *host, bool waits, const char *keys) {
    settle(d, false);
    drawing->batch = overlap_loader_next(drawing->loader);
    host->batch = overlap_loader_next(host->loader);
    assert_true(drawing->batch && host->batch);
    for (int slot = 0; slot < SLOTS; slot++) {
        const loaded_batch *next = drawing->batch;
        send_to(d, drawing, drawing->batch, slot);
        take_from(d, drawing, drawing->batch, slot);
        if (waits && slot + 1 == SLOTS)
            overlap_loader_pause(drawing->loader);
        if (slot + 1 == SLOTS)
            next = overlap_loader_ready(drawing->loader);
        if (next)
            send_to(d, drawing, next, (slot + 1) % SLOTS);
        compare_slot(d, host, slot, keys);
        check_pool(drawing, slot);
    }
    compare_truths(drawing, host);
}

typedef struct {
    const char *keys;
    bool overlap;
    int shards;
} kind;

static void compare_loaders(void **state, kind k) {
    setting s = prepare(k.keys);
    source drawing, host;
    start(&drawing, &s, k.overlap, true, k.shards, 3);
    start(&host, &s, k.overlap, false, k.shards, 2);
    device *d = make_device(&s);
    for (int iteration = 0; iteration < 7; iteration++) {
        train_on_rows(d, &drawing, &host, iteration % 2, k.keys);
        if (iteration % 3 == 2 && *state != on_gpu) {
            settle(d, true);
            resize(&drawing, 3 + iteration, 8);
            resize(&host, 3 + iteration, 8);
        }
    }
    free_device(d);
    stop(&drawing);
    stop(&host);
    clean_up(&s);
}

#define STATISTICS "mean=.5,.4,.3\nstd=.25,.2,.1\n"
#define COLOURS "hue=.1\nsaturation=1.5\nexposure=1.5\n"

static void rows_are_those_of_the_cpu(void **state) {
    use_device(state);
    static const kind kinds[] = {
        {"", true, 1},
        {"min_crop=4\nmax_crop=12\nangle=30\naspect=.7\n" COLOURS STATISTICS "cutout=3", true, 1},
        {"min_crop=4\nmax_crop=12\nflip=0\ncutout=2", false, 1},
        {"pad_crop=2\n" COLOURS STATISTICS "cutout=3\nlabel_smoothing=.1", true, 1},
        {"pad_crop=1", false, 1},
        {"mixup=.5\n" COLOURS STATISTICS, true, 1},
        {"cutmix=1\ncutmix_prob=.7\npad_crop=1\ncutout=2", true, 1},
        {"cutmix=.5\n" STATISTICS, false, 1},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        compare_loaders(state, kinds[i]);
}

/* What was taken may still be on its way when the iteration ends: it has to be waited for. */
static void the_last_rows_leave_before_the_loader_writes_there(void **state) {
    gpu_index = -1;
    enum { LAST = SLOTS - 1 };
    setting s = prepare("pad_crop=2\n" COLOURS);
    source drawing, host;
    start(&drawing, &s, true, true, 1, 3);
    start(&host, &s, true, false, 1, 3);
    device *d = make_device(&s);
    for (int iteration = 0; iteration < 6; iteration++) {
        drawing.batch = overlap_loader_next(drawing.loader);
        host.batch = overlap_loader_next(host.loader);
        d->takes_late = true;
        send_to(d, &drawing, drawing.batch, LAST);
        take_from(d, &drawing, drawing.batch, LAST);
        settle(d, false);
        overlap_loader_next(drawing.loader);
        overlap_loader_pause(drawing.loader);
        memcpy(d->inputs, d->waiting, sizeof d->inputs);
        compare_slot(d, &host, LAST, "");
        overlap_loader_next(host.loader);
    }
    free_device(d);
    stop(&drawing);
    stop(&host);
    clean_up(&s);
    (void)state;
}

/* Partners that are other ranks' rows are guests. The network's batch is not this rank's part, so
 * that this is for the CPU. */
static void guests_are_rendered_too(void **state) {
    gpu_index = -1;
    compare_loaders(state, (kind){"mixup=.5\npad_crop=1\n" COLOURS, true, 2});
    compare_loaders(state, (kind){"cutmix=1\nangle=20", false, 2});
}

static void another_image_takes_a_bad_ones_place(void **state) {
    gpu_index = -1;
    setting s = prepare("mixup=.5\n" COLOURS);
    source drawing, host;
    write_text("2_k2.ppm", "P6\n9 9\n255\nnot all of it");
    write_text("3_k0.ppm", "");
    start(&drawing, &s, true, true, 1, 3);
    start(&host, &s, true, false, 1, 3);
    device *d = make_device(&s);
    for (int iteration = 0; iteration < 5; iteration++)
        train_on_rows(d, &drawing, &host, false, "");
    overlap_loader_pause(drawing.loader);
    assert_true(overlap_loader_skipped(drawing.loader, 3));
    free_device(d);
    stop(&drawing);
    stop(&host);
    clean_up(&s);
    (void)state;
}

/* ---- a training ---- */

/* The micro-batch as it is trained on: with drawn rows of a CPU, those that its device has. */
static void train_slot(const setting *s, device *d, source *from, int slot) {
    network *net = s->net;
    float *inputs = net->input, *truths = net->truth;
    net->input = from->batch->inputs + slot * from->micro * row_inputs_of(&from->rows);
    net->truth = from->batch->truths + slot * from->micro * CLASSES;
    if (from->rows.drawn) {
        send_to(d, from, from->batch, slot);
        if (!d->net) {
            take_from(d, from, from->batch, slot);
            net->input = d->inputs;
        }
    }
    train_network_datum(net);
    net->input = inputs;
    net->truth = truths;
}

/* The weights of the network's first layer after some iterations; the caller frees them. */
static float *weights_trained(bool draws, size_t *count) {
    enum { ITERATIONS = 6 };
    setting s = prepare("pad_crop=1\nmixup=.3\n" COLOURS STATISTICS);
    source from;
    start(&from, &s, true, draws, 1, 2);
    device *d = make_device(&s);
    for (int i = 0; i < ITERATIONS; i++) {
        settle(d, false);
        from.batch = overlap_loader_next(from.loader);
        for (int slot = 0; slot < SLOTS; slot++)
            train_slot(&s, d, &from, slot);
    }
    pull_network(s.net);
    const layer *l = &s.net->layers[0];
    *count = (size_t)(l->inputs * l->outputs);
    float *weights = memcpy(malloc(*count * sizeof *weights), l->weights, *count * sizeof *weights);
    free_device(d);
    stop(&from);
    clean_up(&s);
    return weights;
}

static void a_training_ends_in_the_same_weights(void **state) {
    use_device(state);
    size_t count;
    float *with = weights_trained(true, &count), *without = weights_trained(false, &count);
    double tolerance = *state == on_gpu ? TOLERANCE : 0;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)with[i] - without[i]) <= tolerance))
            fail_msg("weight %zu is %.9g, without the key %.9g", i, with[i], without[i]);
    free(with);
    free(without);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_rendered_as_on_the_cpu),
        cmocka_unit_test(a_pool_has_what_all_threads_put_there),
        cmocka_unit_test(what_does_not_fit_into_the_block_follows_it),
        cmocka_unit_test(the_last_rows_leave_before_the_loader_writes_there),
        cmocka_unit_test(guests_are_rendered_too),
        cmocka_unit_test(another_image_takes_a_bad_ones_place),
        ON_BOTH(rows_are_those_of_the_cpu),
        ON_BOTH(a_training_ends_in_the_same_weights),
    };
    return cmocka_run_group_tests_name("drawn_rows", tests, make_scratch, remove_scratch);
}
