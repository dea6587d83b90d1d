/* overlap_loader, with a source that needs no files: each row's floats say which image, visit and
 * id they are. Rows against the sampler's plan, prefetch, resize, unusable images, shutdown.
 * Threads are ordered by handshake; a test that waits for what never comes is ended by an alarm. */
#include "overlap_loader.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_THREADS = 8, MOST_IMAGES = 64, MOST_ROWS = 64, MOST_IDS = 4096, TRUTHS = 2 };

/* ---- the source ---- */

typedef struct {
    int row_inputs;
    bool bad[MOST_IMAGES];
    int last_to_fail; /* this image's load waits until `jobs` others have begun; -1: none */
    int jobs;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int permits; /* how many loads may yet go on; -1: any number */
    int begun, finished;
    int loads_of_id[MOST_IDS];
    int targets_of_id[MOST_IDS];
    int slot_of_id[MOST_IDS];
} fake_source;

static void write_row(const fake_source *fake, int image, const row_target *target) {
    for (int i = 0; i < fake->row_inputs; i++)
        target->inputs[i] = i % 3 == 0   ? (float)image
                            : i % 3 == 1 ? (float)target->visit
                                         : (float)target->id;
    for (int i = 0; i < TRUTHS; i++)
        target->truths[i] = (float)(image + 100 * i);
}

static void begin_load(fake_source *fake, int image, const row_target *targets, int count) {
    pthread_mutex_lock(&fake->lock);
    fake->begun++;
    fake->loads_of_id[targets[0].id]++;
    fake->targets_of_id[targets[0].id] += count;
    fake->slot_of_id[targets[0].id] = targets[0].slot;
    pthread_cond_broadcast(&fake->changed);
    while (fake->permits == 0 || (image == fake->last_to_fail && fake->begun < fake->jobs))
        pthread_cond_wait(&fake->changed, &fake->lock);
    if (fake->permits > 0)
        fake->permits--;
    pthread_mutex_unlock(&fake->lock);
}

static void end_load(fake_source *fake) {
    pthread_mutex_lock(&fake->lock);
    fake->finished++;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static bool fake_load(void *context, int image, const row_target *targets, int count,
                      char **reason) {
    fake_source *fake = context;
    begin_load(fake, image, targets, count);
    for (int i = 0; i < count && !fake->bad[image]; i++)
        write_row(fake, image, &targets[i]);
    if (fake->bad[image]) {
        *reason = malloc(32);
        snprintf(*reason, 32, "image %d is bad", image);
    }
    end_load(fake);
    return !fake->bad[image];
}

static void allow_loads(fake_source *fake, int permits) {
    pthread_mutex_lock(&fake->lock);
    fake->permits = permits;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

/* Waits until *count, begun or finished, has reached `goal`. */
static void wait_for(fake_source *fake, const int *count, int goal) {
    pthread_mutex_lock(&fake->lock);
    while (*count < goal)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

/* ---- a loader beside the sampler whose plan it has to follow ---- */

typedef struct {
    loader_settings settings;
    fake_source fake;
    overlap_loader *loader;
    overlap_sampler *plan;
    int iterations;
} run;

typedef struct {
    int images, slots, rows;
    bool overlap;
} shape;

static const shape plain = {40, 2, 8, true};
static const shape shapes[] = {
    {40, 2, 8, true}, {37, 3, 10, true}, {8, 1, 16, true},  {3, 2, 8, true},
    {1, 1, 2, true},  {40, 2, 8, false}, {37, 3, 5, false}, {1, 1, 1, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Not started yet, so that the test can change what it needs. */
static run *prepare(shape s, int threads) {
    run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->fake.row_inputs = 7;
    r->fake.last_to_fail = -1;
    r->fake.permits = -1;
    pthread_mutex_init(&r->fake.lock, NULL);
    pthread_cond_init(&r->fake.changed, NULL);
    r->settings =
        (loader_settings){.images = s.images,
                          .slots = s.slots,
                          .share = {.shards = 1, .own = 1, .rows = s.rows, .halves = s.overlap},
                          .overlap = s.overlap,
                          .seed = 5,
                          .row_inputs = r->fake.row_inputs,
                          .row_truths = TRUTHS,
                          .threads = threads,
                          .source = {&r->fake, fake_load}};
    return r;
}

static run *start(run *r) {
    const loader_settings *s = &r->settings;
    r->plan = overlap_sampler_create(s->images, s->slots, s->share.rows, s->overlap, s->seed);
    r->loader = overlap_loader_create(s);
    return r;
}

static void finish(run *r) {
    overlap_loader_free(r->loader);
    overlap_sampler_free(r->plan);
    pthread_cond_destroy(&r->fake.changed);
    pthread_mutex_destroy(&r->fake.lock);
    free(r);
}

static int batch_rows(const run *r) {
    return r->settings.slots * r->settings.share.rows;
}

/* The image that takes the place of `image`. */
static int usable(const run *r, int image) {
    while (r->fake.bad[image])
        image = (image + 1) % r->settings.images;
    return image;
}

static void check_row(const run *r, const loaded_batch *batch, int row, sample expected) {
    const float *inputs = batch->inputs + row * r->fake.row_inputs;
    const float *truths = batch->truths + row * TRUTHS;
    fake_source wanted = {.row_inputs = r->fake.row_inputs};
    float expected_inputs[64], expected_truths[TRUTHS];
    write_row(&wanted, expected.image,
              &(row_target){expected.id, expected.visit, expected_inputs, expected_truths});
    if (memcmp(inputs, expected_inputs, (size_t)wanted.row_inputs * sizeof *inputs) ||
        memcmp(truths, expected_truths, sizeof expected_truths))
        fail_msg("%d threads, iteration %d, row %d: image %g, visit %g, id %g, truth %g; expected "
                 "image %d, visit %d, id %d",
                 r->settings.threads, r->iterations, row, inputs[0], inputs[1], inputs[2],
                 truths[0], expected.image, expected.visit, (int)expected.id);
    assert_int_equal(batch->ids[row], expected.id);
    assert_int_equal(batch->samples[row].id, expected.id);
    assert_int_equal(batch->samples[row].image, expected.image);
    assert_int_equal(batch->samples[row].visit, expected.visit);
}

static void check_batch(const run *r, const loaded_batch *batch, const sample *expected) {
    for (int row = 0; row < batch_rows(r); row++)
        check_row(r, batch, row, expected[row]);
}

/* Writes the next iteration's samples, with the images that replace bad ones. */
static void plan_next(run *r, sample *expected) {
    overlap_sampler_next(r->plan, expected);
    for (int row = 0; row < batch_rows(r); row++)
        expected[row].image = usable(r, expected[row].image);
}

static void check_next(run *r) {
    sample expected[MOST_ROWS];
    const loaded_batch *batch = overlap_loader_next(r->loader);
    if (!batch) {
        int image;
        fail_msg("iteration %d: %s", r->iterations, overlap_loader_error(r->loader, &image));
    }
    plan_next(r, expected);
    check_batch(r, batch, expected);
    r->iterations++;
}

static void check_iterations(run *r, int count) {
    while (count--)
        check_next(r);
}

static void resize(run *r, int row_inputs) {
    overlap_loader_pause(r->loader);
    r->fake.row_inputs = row_inputs;
    overlap_loader_reload(r->loader, row_inputs);
}

/* ---- rows ---- */

static void rows_follow_the_plan_whatever_the_threads(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int i = 0; i < SHAPES; i++) {
            run *r = start(prepare(shapes[i], threads));
            check_iterations(r, 25);
            finish(r);
        }
}

/* A batch is the consumer's until it asks for the next one, whatever the workers do meanwhile. */
static void a_batch_stays_as_it_is_while_the_next_ones_are_loaded(void **state) {
    (void)state;
    run *r = start(prepare(plain, 4));
    for (int i = 0; i < 10; i++) {
        sample expected[MOST_ROWS];
        const loaded_batch *batch = overlap_loader_next(r->loader);
        plan_next(r, expected);
        overlap_loader_pause(r->loader);
        check_batch(r, batch, expected);
    }
    finish(r);
}

/* All rows of the first iteration are new, half of them afterwards; one more is prefetched. */
static void an_image_is_decoded_once_for_its_two_visits(void **state) {
    (void)state;
    enum { ITERATIONS = 20 };
    run *r = start(prepare(plain, 4));
    int rows = batch_rows(r), ids = rows + ITERATIONS * rows / 2;
    check_iterations(r, ITERATIONS);
    overlap_loader_pause(r->loader);
    assert_int_equal(r->fake.begun, ids);
    for (int id = 0; id < ids; id++) {
        bool revisited = id < rows / 2 || id >= rows;
        assert_int_equal(r->fake.loads_of_id[id], 1);
        assert_int_equal(r->fake.targets_of_id[id], revisited ? 2 : 1);
    }
    finish(r);
}

/* Of its micro-batch. */
static int last_row(void *context, const sample *samples, int row) {
    (void)context;
    (void)samples;
    return row - row % plain.rows + plain.rows - 1;
}

static void one_guest_serves_all_its_partners(void **state) {
    (void)state;
    enum { SLOTS = 3 };
    run *r = prepare((shape){40, SLOTS, plain.rows, false}, 4);
    int own = plain.rows / 2;
    sample samples[MOST_ROWS];
    r->settings.share.shards = 2;
    r->settings.source.partner = last_row;
    start(r);
    for (int i = 0; i < 3; i++) {
        const loaded_batch *batch = overlap_loader_next(r->loader);
        overlap_sampler_next(r->plan, samples);
        overlap_loader_pause(r->loader);
        assert_int_equal(batch->guests, SLOTS);
        for (int row = 0; row < SLOTS * own; row++) {
            assert_int_equal(batch->partners[row], SLOTS * own + row / own);
            assert_int_equal(r->fake.slot_of_id[batch->ids[row]], row / own);
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            int64_t guest = samples[(slot + 1) * plain.rows - 1].id;
            assert_int_equal(batch->samples[SLOTS * own + slot].id, guest);
            assert_int_equal(r->fake.slot_of_id[guest], slot);
        }
    }
    finish(r);
}

static void without_overlap_each_row_is_decoded_for_itself(void **state) {
    (void)state;
    run *r = start(prepare((shape){40, 2, 7, false}, 4));
    check_iterations(r, 9);
    overlap_loader_pause(r->loader);
    assert_int_equal(r->fake.begun, 10 * batch_rows(r));
    for (int id = 0; id < 10 * batch_rows(r); id++)
        assert_int_equal(r->fake.targets_of_id[id], 1);
    finish(r);
}

/* ---- prefetch ---- */

static void all_workers_load_at_once(void **state) {
    (void)state;
    run *r = prepare(plain, MOST_THREADS);
    r->fake.permits = 0;
    start(r);
    wait_for(&r->fake, &r->fake.begun, MOST_THREADS);
    allow_loads(&r->fake, -1);
    check_iterations(r, 3);
    finish(r);
}

/* A slow consumer: the next iteration is loaded while it holds this one, and no more than that. */
static void workers_run_one_iteration_ahead(void **state) {
    (void)state;
    run *r = start(prepare(plain, 3));
    int rows = batch_rows(r);
    wait_for(&r->fake, &r->fake.finished, rows);
    for (int i = 1; i < 10; i++) {
        check_next(r);
        wait_for(&r->fake, &r->fake.finished, rows + i * rows / 2);
        overlap_loader_pause(r->loader);
        assert_int_equal(r->fake.begun, rows + i * rows / 2);
    }
    finish(r);
}

/* Looking at what comes next neither waits nor goes on. */
static void the_next_batch_can_be_seen_once_it_is_there(void **state) {
    (void)state;
    run *r = prepare(plain, 3);
    r->fake.permits = 0;
    start(r);
    assert_null(overlap_loader_ready(r->loader));
    allow_loads(&r->fake, -1);
    for (int i = 0; i < 7; i++) {
        sample expected[MOST_ROWS];
        overlap_loader_pause(r->loader);
        const loaded_batch *ready = overlap_loader_ready(r->loader);
        plan_next(r, expected);
        check_batch(r, ready, expected);
        assert_ptr_equal(overlap_loader_ready(r->loader), ready);
        assert_ptr_equal(overlap_loader_next(r->loader), ready);
        overlap_loader_pause(r->loader);
        check_batch(r, ready, expected);
        r->iterations++;
    }
    finish(r);
}

static void no_batch_is_ready_after_an_error(void **state) {
    (void)state;
    run *r = prepare(plain, 2);
    memset(r->fake.bad, 1, sizeof r->fake.bad);
    start(r);
    overlap_loader_pause(r->loader);
    assert_null(overlap_loader_ready(r->loader));
    finish(r);
}

static int made, dropped;

static float *make_floats(size_t count) {
    made++;
    return calloc(count, sizeof(float));
}

static void drop_floats(float *floats) {
    dropped += floats != NULL;
    free(floats);
}

/* Three batches' inputs and truths, and after a resize other inputs. */
static void rows_lie_in_the_memory_that_they_are_given(void **state) {
    (void)state;
    run *r = prepare(plain, 3);
    r->settings.memory = (batch_memory){make_floats, drop_floats};
    made = dropped = 0;
    start(r);
    check_iterations(r, 3);
    assert_int_equal(made, 6);
    assert_int_equal(dropped, 0);
    resize(r, 9);
    check_iterations(r, 3);
    assert_int_equal(made, 9);
    assert_int_equal(dropped, 3);
    finish(r);
    assert_int_equal(dropped, made);
}

typedef struct {
    run *r;
    pthread_mutex_t lock;
    bool returned;
} consumer;

static void *consume(void *argument) {
    consumer *c = argument;
    const loaded_batch *batch = overlap_loader_next(c->r->loader);
    pthread_mutex_lock(&c->lock);
    c->returned = true;
    pthread_mutex_unlock(&c->lock);
    return (void *)batch;
}

static bool has_returned(consumer *c) {
    pthread_mutex_lock(&c->lock);
    bool returned = c->returned;
    pthread_mutex_unlock(&c->lock);
    return returned;
}

/* A fast consumer gets nothing before the last row is there. */
static void the_consumer_waits_for_the_last_row(void **state) {
    (void)state;
    run *r = prepare(plain, 3);
    consumer c = {.r = r, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    void *batch;
    sample expected[MOST_ROWS];
    r->fake.permits = 0;
    start(r);
    assert_int_equal(pthread_create(&thread, NULL, consume, &c), 0);
    allow_loads(&r->fake, batch_rows(r) - 1);
    wait_for(&r->fake, &r->fake.finished, batch_rows(r) - 1);
    assert_false(has_returned(&c));
    allow_loads(&r->fake, 1);
    assert_int_equal(pthread_join(thread, &batch), 0);
    assert_non_null(batch);
    plan_next(r, expected);
    check_batch(r, batch, expected);
    allow_loads(&r->fake, -1);
    check_iterations(r, 3);
    finish(r);
}

/* ---- resize ---- */

static void a_resize_keeps_images_ids_and_chain(void **state) {
    (void)state;
    static const int sizes[] = {12, 3, 3, 60, 7};
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int i = 0; i < SHAPES; i++) {
            run *r = start(prepare(shapes[i], threads));
            for (int k = 0; k < 5; k++) {
                check_iterations(r, k);
                resize(r, sizes[k]);
            }
            check_iterations(r, 4);
            finish(r);
        }
}

/* Before the first batch is taken, and twice in a row. */
static void a_resize_may_come_at_once(void **state) {
    (void)state;
    run *r = start(prepare(plain, 4));
    resize(r, 30);
    resize(r, 6);
    check_iterations(r, 5);
    finish(r);
}

static void a_resize_keeps_replacements(void **state) {
    (void)state;
    run *r = prepare(plain, 4);
    r->settings.skip_bad = true;
    for (int image = 0; image < plain.images; image += 3)
        r->fake.bad[image] = true;
    start(r);
    for (int i = 0; i < 12; i++) {
        check_next(r);
        resize(r, 3 + i);
    }
    finish(r);
}

/* ---- unusable images ---- */

/* Runs until the loader gives up and checks that it names the first bad image in order of rows. */
static void check_stops_at_first_bad(run *r) {
    while (true) {
        sample expected[MOST_ROWS];
        overlap_sampler_next(r->plan, expected);
        int bad = -1, named;
        for (int row = batch_rows(r) - 1; row >= 0; row--)
            if (expected[row].visit == 0 && r->fake.bad[expected[row].image])
                bad = expected[row].image;
        const loaded_batch *batch = overlap_loader_next(r->loader);
        if (bad < 0) {
            assert_non_null(batch);
            check_batch(r, batch, expected);
            continue;
        }
        char reason[32];
        snprintf(reason, sizeof reason, "image %d is bad", bad);
        assert_null(batch);
        assert_string_equal(overlap_loader_error(r->loader, &named), reason);
        assert_int_equal(named, bad);
        return;
    }
}

static void the_first_bad_image_in_order_of_rows_is_named(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int step = 1; step < plain.images; step += 4) {
            run *r = prepare(plain, threads);
            for (int image = 3; image < plain.images; image += step)
                r->fake.bad[image] = true;
            check_stops_at_first_bad(start(r));
            finish(r);
        }
}

/* All images are bad, and the first one's load ends after all others have failed. */
static void the_first_bad_row_is_named_even_if_it_fails_last(void **state) {
    (void)state;
    run *r = prepare(plain, 2);
    sample first[MOST_ROWS];
    overlap_sampler *plan = overlap_sampler_create(plain.images, plain.slots, plain.rows,
                                                   plain.overlap, r->settings.seed);
    overlap_sampler_next(plan, first);
    overlap_sampler_free(plan);
    memset(r->fake.bad, true, sizeof r->fake.bad);
    r->fake.last_to_fail = first[0].image;
    r->fake.jobs = batch_rows(r);
    check_stops_at_first_bad(start(r));
    finish(r);
}

static void after_an_error_there_is_nothing_more(void **state) {
    (void)state;
    run *r = prepare(plain, 2);
    r->fake.bad[7] = true;
    check_stops_at_first_bad(start(r));
    assert_null(overlap_loader_next(r->loader));
    resize(r, 9);
    assert_null(overlap_loader_next(r->loader));
    finish(r);
}

static void without_skip_bad_no_image_counts_as_skipped(void **state) {
    (void)state;
    run *r = prepare(plain, 2);
    r->fake.bad[7] = true;
    check_stops_at_first_bad(start(r));
    for (int image = 0; image < plain.images; image++)
        assert_false(overlap_loader_skipped(r->loader, image));
    finish(r);
}

/* Bad images in a row, the last one of the list among them; rows, labels and both visits must
 * follow the replacement. */
static void skip_bad_puts_the_next_usable_image_in_the_row(void **state) {
    (void)state;
    static const int bad[] = {0, 5, 6, 7, 20, 38, 39};
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run *r = prepare(plain, threads);
        r->settings.skip_bad = true;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            r->fake.bad[bad[i]] = true;
        check_iterations(start(r), 20);
        overlap_loader_pause(r->loader);
        for (int image = 0; image < plain.images; image++)
            assert_int_equal(overlap_loader_skipped(r->loader, image), r->fake.bad[image]);
        finish(r);
    }
}

static void one_usable_image_is_enough_for_skip_bad(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run *r = prepare(plain, threads);
        r->settings.skip_bad = true;
        memset(r->fake.bad, true, sizeof r->fake.bad);
        r->fake.bad[13] = false;
        check_iterations(start(r), 5);
        finish(r);
    }
}

static void skip_bad_without_a_usable_image_is_an_error(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int images = 1; images < 40; images += 13) {
            int image;
            run *r = prepare((shape){images, 2, 8, true}, threads);
            r->settings.skip_bad = true;
            memset(r->fake.bad, true, sizeof r->fake.bad);
            start(r);
            assert_null(overlap_loader_next(r->loader));
            assert_non_null(strstr(overlap_loader_error(r->loader, &image), "is bad"));
            assert_in_range(image, 0, images - 1);
            finish(r);
        }
}

/* ---- the end ---- */

static void a_loader_may_be_freed_at_any_time(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int taken = 0; taken < 4; taken++) {
            run *r = start(prepare(plain, threads));
            check_iterations(r, taken);
            finish(r);
        }
    overlap_loader_free(NULL);
}

static void *open_the_gate(void *fake) {
    allow_loads(fake, -1);
    return NULL;
}

/* Every worker is inside a load when the loader is freed. */
static void a_loader_may_be_freed_while_its_workers_load(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        run *r = prepare(plain, 4);
        r->fake.permits = 0;
        start(r);
        wait_for(&r->fake, &r->fake.begun, 4);
        assert_int_equal(pthread_create(&thread, NULL, open_the_gate, &r->fake), 0);
        overlap_loader_free(r->loader);
        r->loader = NULL;
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(r->fake.begun, r->fake.finished);
        finish(r);
    }
}

static void a_paused_loader_may_be_freed(void **state) {
    (void)state;
    run *r = start(prepare(plain, 4));
    check_iterations(r, 2);
    overlap_loader_pause(r->loader);
    finish(r);
}

/* ---- what follows once all rows are there ---- */

/* Needs every row of the batch: adds the sum of their ids to each row's last truth. */
static void finish_with_sum(void *context, const loaded_batch *batch) {
    const run *r = (const run *)((char *)context - offsetof(run, fake));
    float sum = 0;
    for (int row = 0; row < batch_rows(r); row++)
        sum += batch->inputs[row * r->fake.row_inputs + 2];
    for (int row = 0; row < batch_rows(r); row++)
        batch->truths[row * TRUTHS + TRUTHS - 1] += sum;
}

/* Checks that the sum was added, once, and takes it away. */
static void take_sum_away(const run *r, const loaded_batch *batch, const sample *expected) {
    float sum = 0;
    for (int row = 0; row < batch_rows(r); row++)
        sum += (float)expected[row].id;
    for (int row = 0; row < batch_rows(r); row++)
        batch->truths[row * TRUTHS + TRUTHS - 1] -= sum;
}

static void check_finished(run *r, int iterations) {
    while (iterations--) {
        sample expected[MOST_ROWS];
        const loaded_batch *batch = overlap_loader_next(r->loader);
        assert_non_null(batch);
        plan_next(r, expected);
        take_sum_away(r, batch, expected);
        check_batch(r, batch, expected);
        r->iterations++;
    }
}

static void a_batch_is_finished_once_when_all_rows_are_there(void **state) {
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int i = 0; i < SHAPES; i++) {
            run *r = prepare(shapes[i], threads);
            r->settings.source.finish = finish_with_sum;
            start(r);
            check_finished(r, 25);
            finish(r);
        }
}

static void a_batch_loaded_again_is_finished_again(void **state) {
    (void)state;
    run *r = prepare(plain, 4);
    r->settings.source.finish = finish_with_sum;
    start(r);
    check_finished(r, 3);
    resize(r, 10);
    check_finished(r, 3);
    resize(r, 4);
    check_finished(r, 3);
    finish(r);
}

/* ---- buffers ---- */

/* How many rows were written to each buffer since it was cleared. */
static int written[LOADER_BUFFERS];

static bool count_rows(void *context, int image, const row_target *targets, int count,
                       char **reason) {
    fake_source *fake = context;
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < count; i++)
        written[targets[i].buffer]++;
    pthread_mutex_unlock(&fake->lock);
    return fake_load(context, image, targets, count, reason);
}

static void forget_rows(void *context, int buffer) {
    fake_source *fake = context;
    pthread_mutex_lock(&fake->lock);
    written[buffer] = 0;
    pthread_mutex_unlock(&fake->lock);
}

/* And none of the buffers that are still read has been cleared. */
static void check_written(const run *r) {
    const loaded_batch *next = NULL, *batch = overlap_loader_next(r->loader);
    overlap_loader_pause(r->loader);
    next = overlap_loader_ready(r->loader);
    assert_int_equal(written[batch->buffer], batch_rows(r));
    assert_int_equal(written[next->buffer], batch_rows(r));
    assert_true(batch->buffer != next->buffer);
}

static void a_buffer_is_cleared_before_its_first_row(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        run *r = prepare(shapes[i], 4);
        memset(written, 0, sizeof written);
        r->settings.source.load = count_rows;
        r->settings.source.clear = forget_rows;
        start(r);
        for (int iteration = 0; iteration < 9; iteration++) {
            check_written(r);
            if (iteration % 4 == 3)
                resize(r, 5 + iteration);
        }
        finish(r);
    }
}

/* ---- going on after another process ---- */

static run *start_after(run *r, int done) {
    r->settings.done = done;
    start(r);
    for (int i = 0; i < done; i++) {
        sample expected[MOST_ROWS];
        plan_next(r, expected);
    }
    return r;
}

static void a_loader_goes_on_after_any_number_of_iterations(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        for (int done = 1; done < 12; done++) {
            run *r = start_after(prepare(shapes[i], 3), done);
            check_iterations(r, 6);
            finish(r);
        }
}

static void it_knows_the_images_that_were_unusable(void **state) {
    (void)state;
    bool unusable[MOST_IMAGES] = {false};
    unusable[3] = unusable[7] = true;
    for (int done = 0; done < 8; done++) {
        run *r = prepare(plain, 3);
        r->settings.skip_bad = true;
        r->settings.unusable = unusable;
        r->fake.bad[3] = r->fake.bad[4] = r->fake.bad[7] = true;
        start_after(r, done);
        check_iterations(r, 6);
        overlap_loader_pause(r->loader);
        assert_true(overlap_loader_skipped(r->loader, 3));
        assert_true(overlap_loader_skipped(r->loader, 7));
        assert_false(overlap_loader_skipped(r->loader, 5));
        finish(r);
    }
}

static void none_is_left_where_all_were_unusable(void **state) {
    (void)state;
    bool unusable[MOST_IMAGES];
    run *r = prepare((shape){4, 1, 2, false}, 2);
    memset(unusable, true, sizeof unusable);
    memset(r->fake.bad, true, sizeof r->fake.bad);
    r->settings.skip_bad = true;
    r->settings.unusable = unusable;
    start(r);
    assert_null(overlap_loader_next(r->loader));
    finish(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_follow_the_plan_whatever_the_threads),
        cmocka_unit_test(a_batch_stays_as_it_is_while_the_next_ones_are_loaded),
        cmocka_unit_test(an_image_is_decoded_once_for_its_two_visits),
        cmocka_unit_test(one_guest_serves_all_its_partners),
        cmocka_unit_test(without_overlap_each_row_is_decoded_for_itself),
        cmocka_unit_test(all_workers_load_at_once),
        cmocka_unit_test(workers_run_one_iteration_ahead),
        cmocka_unit_test(the_next_batch_can_be_seen_once_it_is_there),
        cmocka_unit_test(no_batch_is_ready_after_an_error),
        cmocka_unit_test(rows_lie_in_the_memory_that_they_are_given),
        cmocka_unit_test(the_consumer_waits_for_the_last_row),
        cmocka_unit_test(a_resize_keeps_images_ids_and_chain),
        cmocka_unit_test(a_resize_may_come_at_once),
        cmocka_unit_test(a_batch_is_finished_once_when_all_rows_are_there),
        cmocka_unit_test(a_batch_loaded_again_is_finished_again),
        cmocka_unit_test(a_buffer_is_cleared_before_its_first_row),
        cmocka_unit_test(a_resize_keeps_replacements),
        cmocka_unit_test(the_first_bad_image_in_order_of_rows_is_named),
        cmocka_unit_test(the_first_bad_row_is_named_even_if_it_fails_last),
        cmocka_unit_test(after_an_error_there_is_nothing_more),
        cmocka_unit_test(without_skip_bad_no_image_counts_as_skipped),
        cmocka_unit_test(skip_bad_puts_the_next_usable_image_in_the_row),
        cmocka_unit_test(one_usable_image_is_enough_for_skip_bad),
        cmocka_unit_test(skip_bad_without_a_usable_image_is_an_error),
        cmocka_unit_test(a_loader_may_be_freed_at_any_time),
        cmocka_unit_test(a_loader_may_be_freed_while_its_workers_load),
        cmocka_unit_test(a_paused_loader_may_be_freed),
        cmocka_unit_test(a_loader_goes_on_after_any_number_of_iterations),
        cmocka_unit_test(it_knows_the_images_that_were_unusable),
        cmocka_unit_test(none_is_left_where_all_were_unusable),
    };
    alarm(300);
    return cmocka_run_group_tests_name("overlap_loader", tests, NULL, NULL);
}
