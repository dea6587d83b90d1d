#include "train_saving.h"

#include "fail.h"
#include "saved_weights.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECONDS_OF_SILENCE = 60 };

struct train_saving {
    char *folder, *state_name;
    checkpoint files;
    checkpoint_interval every;
    double last_checkpoint; /* when the last one was tried */
    double last_complaint;  /* -1: none yet */
    char **lost;            /* (lost_count), names */
    size_t lost_count;
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

train_saving *train_saving_create(const char *folder, const char *base, checkpoint_interval every) {
    train_saving *s = allocate(1, sizeof *s);
    s->folder = format_string("%s", folder);
    s->state_name = format_string("%s.state", base);
    s->files = checkpoint_of(folder, base);
    s->every = every;
    s->last_checkpoint = seconds_now();
    s->last_complaint = -1;
    return s;
}

void train_saving_free(train_saving *s) {
    for (size_t i = 0; i < s->lost_count; i++)
        free(s->lost[i]);
    free(s->lost);
    free_checkpoint(&s->files);
    free(s->folder);
    free(s->state_name);
    free(s);
}

checkpoint *train_saving_checkpoint(train_saving *s) {
    return &s->files;
}

/* ---- failures ---- */

static size_t find_lost(const train_saving *s, const char *name) {
    size_t i = 0;
    while (i < s->lost_count && strcmp(s->lost[i], name) != 0)
        i++;
    return i;
}

static void add_lost(train_saving *s, const char *name) {
    char **more = realloc(s->lost, (s->lost_count + 1) * sizeof *more);
    if (!more)
        fail("out of memory for the name of a file");
    s->lost = more;
    s->lost[s->lost_count++] = format_string("%s", name);
}

static void complain(train_saving *s, const char *error) {
    double now = seconds_now();
    if (s->last_complaint >= 0 && now - s->last_complaint < SECONDS_OF_SILENCE)
        return;
    s->last_complaint = now;
    fprintf(stderr,
            "darknet: %s; the training goes on, with the last files that were written whole\n",
            error);
}

void note_saving(train_saving *s, const char *name, char *error) {
    size_t at = find_lost(s, name);
    bool was_lost = at < s->lost_count;
    if (error) {
        complain(s, error);
        if (!was_lost)
            add_lost(s, name);
    } else if (was_lost) {
        free(s->lost[at]);
        s->lost[at] = s->lost[--s->lost_count];
    }
    free(error);
}

char *lost_files(const train_saving *s) {
    char *list = NULL;
    for (size_t i = 0; i < s->lost_count; i++) {
        char *longer =
            list ? format_string("%s, %s", list, s->lost[i]) : format_string("%s", s->lost[i]);
        free(list);
        list = longer;
    }
    return list;
}

/* ---- saving ---- */

bool train_saving_weights(train_saving *s, network *net, const char *name) {
    char *path = format_string("%s/%s", s->folder, name);
    char *error = save_weights_file(net, path);
    bool good = !error;
    note_saving(s, name, error);
    free(path);
    return good;
}

bool keeps_checkpoints(const train_saving *s) {
    return s->every.iterations || s->every.minutes > 0;
}

bool checkpoint_is_due_after(const train_saving *s, uint64_t iterations) {
    return s->every.iterations && iterations % s->every.iterations == 0;
}

bool checkpoint_is_due_by_clock(const train_saving *s) {
    return s->every.minutes > 0 && seconds_now() - s->last_checkpoint >= s->every.minutes * 60;
}

bool train_saving_write_checkpoint(train_saving *s, network *net, state_content content,
                                   void *context, char *obstacle) {
    fprintf(stderr, "Saving weights to %s\n", s->files.weights);
    char *error = obstacle ? obstacle : write_checkpoint(&s->files, net, content, context);
    bool good = !error;
    note_saving(s, s->state_name, error);
    s->last_checkpoint = seconds_now();
    return good;
}
