#include "overlap_loader.h"

#include "fail.h"
#include "worker_threads.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One image to decode, for one row or for a row and its revisit. */
typedef struct {
    int image;
    int targets;
    row_target target[2];
    sample *tag[2]; /* whose `image` follows when another image takes the row */
} job;

struct overlap_loader {
    loader_settings settings;
    overlap_sampler *sampler;
    loaded_batch buffers[LOADER_BUFFERS];
    int64_t loading; /* iteration that the jobs below are for */
    int rows;        /* own rows of a micro-batch */
    sample *plan;    /* (slots * rows of all ranks), its samples */
    int *guest_rows; /* (likewise), the guest that a planned row has become; 0: none */
    int *slots;      /* (rows of a buffer), the micro-batch of each */

    worker **workers;     /* (threads) */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work_ready;
    pthread_cond_t work_done;
    job *jobs; /* written by the consumer while no job is open, then read only */
    int job_count;
    int next_job;
    int open_jobs; /* not yet finished */
    bool stop;
    bool *unusable; /* (images) */
    int unusable_count;
    int failed_job; /* the first in order of rows, so that the message is always the same one */
    int failed_image;
    char *error;
};

static int batch_rows(const overlap_loader *l) {
    return l->settings.slots * l->rows;
}

static int all_rows(const overlap_loader *l) {
    return l->settings.slots * l->settings.share.rows;
}

/* Rows of a buffer: each row can have a guest. */
static int most_rows(const overlap_loader *l) {
    const row_share *share = &l->settings.share;
    bool has_guests = l->settings.source.partner && share->own < share->shards;
    return batch_rows(l) * (has_guests ? 2 : 1);
}

/* The number in the plan of row `row` here. */
static int row_of_plan(const overlap_loader *l, int row) {
    const row_share *share = &l->settings.share;
    return row / l->rows * share->rows + row_among_all(share, row % l->rows);
}

/* The other way round; -1 where another rank has it. */
static int row_of_batch(const overlap_loader *l, int planned) {
    const row_share *share = &l->settings.share;
    int own = row_among_own(share, planned % share->rows);
    return own < 0 ? -1 : planned / share->rows * l->rows + own;
}

static loaded_batch *buffer_of(overlap_loader *l, int64_t iteration) {
    return &l->buffers[iteration % LOADER_BUFFERS];
}

/* With skip_bad: marks `image` as unusable and picks the one that takes its place, if any is left.
 */
static bool find_replacement(overlap_loader *l, int *image) {
    bool found = false;
    if (!l->settings.skip_bad)
        return false;
    pthread_mutex_lock(&l->lock);
    if (!l->unusable[*image]) {
        l->unusable[*image] = true;
        l->unusable_count++;
    }
    if (l->unusable_count < l->settings.images) {
        do
            *image = (*image + 1) % l->settings.images;
        while (l->unusable[*image]);
        found = true;
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

static void record_failure(overlap_loader *l, int job_number, int image, char *reason) {
    pthread_mutex_lock(&l->lock);
    if (!l->error || job_number < l->failed_job) {
        free(l->error);
        l->error = reason;
        l->failed_job = job_number;
        l->failed_image = image;
    } else {
        free(reason);
    }
    pthread_mutex_unlock(&l->lock);
}

static void run_job(overlap_loader *l, int number) {
    job *j = &l->jobs[number];
    int image = j->image;
    char *reason = NULL;
    while (!l->settings.source.load(l->settings.source.context, image, j->target, j->targets,
                                    &reason)) {
        int bad = image;
        if (!find_replacement(l, &image)) {
            record_failure(l, number, bad, reason);
            return;
        }
        free(reason);
        reason = NULL;
    }
    for (int i = 0; i < j->targets; i++)
        j->tag[i]->image = image;
}

/* For the worker of the last open job, while it holds that open: no other thread is at the batch.
 * With the lock held, which it gives away meanwhile. */
static void finish_batch(overlap_loader *l) {
    const image_source *source = &l->settings.source;
    if (!source->finish || l->error)
        return;
    pthread_mutex_unlock(&l->lock);
    source->finish(source->context, buffer_of(l, l->loading));
    pthread_mutex_lock(&l->lock);
}

static void work(void *argument) {
    overlap_loader *l = argument;
    pthread_mutex_lock(&l->lock);
    while (true) {
        while (!l->stop && l->next_job == l->job_count)
            pthread_cond_wait(&l->work_ready, &l->lock);
        if (l->stop)
            break;
        int number = l->next_job++;
        pthread_mutex_unlock(&l->lock);
        run_job(l, number);
        pthread_mutex_lock(&l->lock);
        if (l->open_jobs == 1)
            finish_batch(l);
        if (--l->open_jobs == 0)
            pthread_cond_signal(&l->work_done);
    }
    pthread_mutex_unlock(&l->lock);
}

static void wait_for_workers(overlap_loader *l) {
    pthread_mutex_lock(&l->lock);
    while (l->open_jobs)
        pthread_cond_wait(&l->work_done, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static void open_jobs(overlap_loader *l, int count) {
    pthread_mutex_lock(&l->lock);
    l->job_count = count;
    l->next_job = 0;
    l->open_jobs = count;
    pthread_cond_broadcast(&l->work_ready);
    pthread_mutex_unlock(&l->lock);
}

static void add_target(overlap_loader *l, job *j, int64_t iteration, int row, sample tag) {
    loaded_batch *batch = buffer_of(l, iteration);
    batch->samples[row] = tag;
    if (row < batch_rows(l))
        batch->ids[row] = tag.id;
    j->tag[j->targets] = &batch->samples[row];
    j->target[j->targets++] =
        (row_target){.id = tag.id,
                     .visit = tag.visit,
                     .inputs = batch->inputs + (size_t)row * (size_t)l->settings.row_inputs,
                     .truths = batch->truths + (size_t)row * (size_t)l->settings.row_truths,
                     .buffer = batch->buffer,
                     .slot = l->slots[row]};
}

/* The job for `row` of the iteration being loaded: the row itself and, where the next iteration
 * revisits it, that row too, so that one decoding serves both. */
static job job_for_row(overlap_loader *l, int row, sample tag) {
    int shard_rows = count_shard_rows(&l->settings.share), half = shard_rows / 2;
    job j = {.image = tag.image};
    add_target(l, &j, l->loading, row, tag);
    if (l->settings.overlap && row < batch_rows(l) && row % shard_rows >= half) {
        tag.visit = 1;
        add_target(l, &j, l->loading + 1, row - half, tag);
    }
    return j;
}

/* The row of the planned row of another rank, a guest that several rows can have as partner. */
static int row_of_guest(overlap_loader *l, loaded_batch *batch, int planned) {
    if (!l->guest_rows[planned]) {
        int row = batch_rows(l) + batch->guests++;
        batch->samples[row] = l->plan[planned];
        l->slots[row] = planned / l->settings.share.rows;
        l->guest_rows[planned] = row;
    }
    return l->guest_rows[planned];
}

/* Finds each row's partner; one that is another rank's row becomes a guest. */
static void invite_partners(overlap_loader *l) {
    const image_source *source = &l->settings.source;
    loaded_batch *batch = buffer_of(l, l->loading);
    batch->guests = 0;
    memset(l->guest_rows, 0, (size_t)all_rows(l) * sizeof *l->guest_rows);
    for (int row = 0; row < batch_rows(l) && source->partner; row++) {
        int planned = source->partner(source->context, l->plan, row_of_plan(l, row));
        int partner = row_of_batch(l, planned);
        batch->partners[row] = partner < 0 ? row_of_guest(l, batch, planned) : partner;
    }
}

/* Returns how many jobs there are with those for the guests. */
static int add_jobs_for_guests(overlap_loader *l, int count) {
    const loaded_batch *batch = buffer_of(l, l->loading);
    for (int row = batch_rows(l); row < batch_rows(l) + batch->guests; row++)
        l->jobs[count++] = job_for_row(l, row, batch->samples[row]);
    return count;
}

/* Loads iteration l->loading, whose revisited rows came with the iteration before. */
static void load_new_rows(overlap_loader *l) {
    int count = 0;
    const loaded_batch *batch = buffer_of(l, l->loading);
    for (int row = 0; row < batch_rows(l); row++) {
        sample tag = l->plan[row_of_plan(l, row)];
        if (tag.visit == 0)
            l->jobs[count++] = job_for_row(l, row, tag);
        else
            assert(batch->ids[row] == tag.id);
    }
    open_jobs(l, add_jobs_for_guests(l, count));
}

static void clear_buffer(overlap_loader *l, int64_t iteration) {
    if (l->settings.source.clear)
        l->settings.source.clear(l->settings.source.context, buffer_of(l, iteration)->buffer);
}

/* The buffer that rows to be revisited are written to from now on is the one before the batch that
 * is handed out next. */
static void load_next_iteration(overlap_loader *l) {
    l->loading++;
    clear_buffer(l, l->loading + 1);
    overlap_sampler_next(l->sampler, l->plan);
    invite_partners(l);
    load_new_rows(l);
}

/* Loads iteration l->loading with the images that its samples name, whatever came before. */
static void load_all_rows(overlap_loader *l) {
    const loaded_batch *batch = buffer_of(l, l->loading);
    clear_buffer(l, l->loading);
    clear_buffer(l, l->loading + 1);
    for (int row = 0; row < batch_rows(l); row++)
        l->jobs[row] = job_for_row(l, row, batch->samples[row]);
    open_jobs(l, add_jobs_for_guests(l, batch_rows(l)));
}

static void load_first_iteration(overlap_loader *l) {
    l->loading = l->settings.done;
    overlap_sampler_skip(l->sampler, l->settings.done);
    overlap_sampler_next(l->sampler, l->plan);
    invite_partners(l);
    for (int row = 0; row < batch_rows(l); row++)
        buffer_of(l, l->loading)->samples[row] = l->plan[row_of_plan(l, row)];
    load_all_rows(l);
}

static float *make_floats(const overlap_loader *l, int row_floats) {
    size_t count = (size_t)most_rows(l) * (size_t)row_floats;
    const batch_memory *memory = &l->settings.memory;
    return memory->make ? memory->make(count) : allocate(count, sizeof(float));
}

static void drop_floats(const overlap_loader *l, float *floats) {
    if (l->settings.memory.drop)
        l->settings.memory.drop(floats);
    else
        free(floats);
}

static void make_buffers(overlap_loader *l) {
    for (int i = 0; i < LOADER_BUFFERS; i++) {
        drop_floats(l, l->buffers[i].inputs);
        l->buffers[i].inputs = make_floats(l, l->settings.row_inputs);
    }
}

static overlap_sampler *create_sampler(const loader_settings *s) {
    assert(!s->in_order || !s->overlap);
    int rows = s->share.rows;
    return s->in_order ? ordered_sampler_create(s->images, s->slots, rows)
                       : overlap_sampler_create(s->images, s->slots, rows, s->overlap, s->seed);
}

static void note_unusable_images(overlap_loader *l) {
    const bool *known = l->settings.unusable;
    l->unusable = allocate((size_t)l->settings.images, sizeof *l->unusable);
    for (int i = 0; i < l->settings.images && known; i++) {
        l->unusable[i] = known[i];
        l->unusable_count += known[i];
    }
    l->settings.unusable = NULL; /* the caller's, no longer needed */
}

overlap_loader *overlap_loader_create(const loader_settings *settings) {
    overlap_loader *l = allocate(1, sizeof *l);
    l->settings = *settings;
    l->rows = count_own_rows(&settings->share);
    l->sampler = create_sampler(settings);
    note_unusable_images(l);
    l->jobs = allocate((size_t)most_rows(l), sizeof *l->jobs);
    l->plan = allocate((size_t)all_rows(l), sizeof *l->plan);
    l->guest_rows = allocate((size_t)all_rows(l), sizeof *l->guest_rows);
    l->slots = allocate((size_t)most_rows(l), sizeof *l->slots);
    for (int row = 0; row < batch_rows(l); row++)
        l->slots[row] = row / l->rows;
    for (int i = 0; i < LOADER_BUFFERS; i++) {
        loaded_batch *batch = &l->buffers[i];
        batch->buffer = i;
        size_t rows = (size_t)most_rows(l);
        batch->truths = make_floats(l, settings->row_truths);
        batch->ids = allocate(rows, sizeof *batch->ids);
        batch->samples = allocate(rows, sizeof *batch->samples);
        batch->partners = allocate(rows, sizeof *batch->partners);
    }
    make_buffers(l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work_ready, NULL);
    pthread_cond_init(&l->work_done, NULL);
    l->workers = allocate((size_t)settings->threads,
                          sizeof *l->workers); // NOLINT(bugprone-sizeof-expression): of pointers
    for (int i = 0; i < settings->threads; i++)
        if (!(l->workers[i] = start_worker(work, l)))
            fail("cannot start loader thread %d of %d; try a smaller -threads", i + 1,
                 settings->threads);
    load_first_iteration(l);
    return l;
}

void overlap_loader_free(overlap_loader *l) {
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work_ready);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->settings.threads; i++)
        finish_worker(l->workers[i]);
    for (int i = 0; i < LOADER_BUFFERS; i++) {
        drop_floats(l, l->buffers[i].inputs);
        drop_floats(l, l->buffers[i].truths);
        free(l->buffers[i].ids);
        free(l->buffers[i].samples);
        free(l->buffers[i].partners);
    }
    pthread_cond_destroy(&l->work_done);
    pthread_cond_destroy(&l->work_ready);
    pthread_mutex_destroy(&l->lock);
    overlap_sampler_free(l->sampler);
    free(l->workers);
    free(l->jobs);
    free(l->plan);
    free(l->guest_rows);
    free(l->slots);
    free(l->unusable);
    free(l->error);
    free(l);
}

const loaded_batch *overlap_loader_next(overlap_loader *l) {
    wait_for_workers(l);
    if (l->error)
        return NULL;
    const loaded_batch *ready = buffer_of(l, l->loading);
    load_next_iteration(l);
    return ready;
}

const loaded_batch *overlap_loader_ready(overlap_loader *l) {
    pthread_mutex_lock(&l->lock);
    bool ready = !l->open_jobs && !l->error;
    pthread_mutex_unlock(&l->lock);
    return ready ? buffer_of(l, l->loading) : NULL;
}

const char *overlap_loader_error(const overlap_loader *l, int *image) {
    *image = l->failed_image;
    return l->error;
}

void overlap_loader_pause(overlap_loader *l) {
    wait_for_workers(l);
}

void overlap_loader_reload(overlap_loader *l, int row_inputs) {
    if (l->error)
        return; /* the next overlap_loader_next reports it */
    l->settings.row_inputs = row_inputs;
    make_buffers(l);
    load_all_rows(l); /* with the images that took the place of unusable ones */
}

bool overlap_loader_skipped(const overlap_loader *l, int image) {
    return l->unusable[image];
}
