#include "checkpoint.h"

#include "fail.h"
#include "saved_weights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char SUM[] = "weights";

checkpoint checkpoint_of(const char *folder, const char *base) {
    return (checkpoint){.weights = format_string("%s/%s.backup", folder, base),
                        .new_weights = format_string("%s/%s.backup.new", folder, base),
                        .state = format_string("%s/%s.state", folder, base),
                        .new_state = format_string("%s/%s.state.new", folder, base)};
}

void free_checkpoint(checkpoint *c) {
    free(c->weights);
    free(c->new_weights);
    free(c->state);
    free(c->new_state);
}

/* ---- writing ---- */

typedef struct {
    state_content content;
    void *context;
    file_sum weights;
} state_of_weights;

static void put_all(state_writer *w, void *context) {
    const state_of_weights *all = context;
    struct {
        uint64_t size, crc32;
    } sum = {all->weights.size, all->weights.crc32};
    put_state(w, SUM, &sum, sizeof sum);
    all->content(w, all->context);
}

static char *write_aside(checkpoint *c, network *net, state_content content, void *context) {
    state_of_weights all = {content, context};
    char *error = write_weights_file(net, c->new_weights, &all.weights);
    if (error)
        return error;
    error = write_state_file(c->new_state, put_all, &all);
    if (!error)
        error = bring_names_to_disk(c->new_state);
    if (error) {
        unlink(c->new_weights);
        unlink(c->new_state);
    }
    return error;
}

/* From here on the new state is the one that fits the weights. */
static char *rename_state(checkpoint *c) {
    char *error = move_file(c->new_state, c->state, false);
    c->state_waits = error != NULL;
    return error ? error : bring_names_to_disk(c->state);
}

static char *rename_both(checkpoint *c) {
    char *error = move_file(c->new_weights, c->weights, false);
    if (error) {
        unlink(c->new_weights);
        unlink(c->new_state);
        return error;
    }
    free(bring_names_to_disk(c->weights)); /* where that fails, the state's rename tries it again */
    return rename_state(c);
}

char *write_checkpoint(checkpoint *c, network *net, state_content content, void *context) {
    /* The file that is about to be written anew may be the only state that fits. */
    bool waits = c->state_waits && access(c->new_state, F_OK) == 0;
    char *error = waits ? rename_state(c) : NULL;
    if (!error)
        error = write_aside(c, net, content, context);
    return error ? error : rename_both(c);
}

/* ---- reading ---- */

static file_sum sum_in(const state_file *file) {
    struct {
        uint64_t size, crc32;
    } sum;
    get_state(file, SUM, &sum, sizeof sum);
    return (file_sum){sum.size, (uint32_t)sum.crc32};
}

/* Gives the file its name, unless it has it. */
static void settle(const char *is, const char *wanted) {
    char *error = is == wanted ? NULL : move_file(is, wanted, true);
    if (error)
        fail("%s", error);
}

/* Returns the state at `path` if it fits one of the weights files, which then both have their
 * names. *error receives a fresh sentence where there is a state that does not. */
static state_file *try_state(checkpoint *c, const char *path, char **error) {
    state_file *file = read_state_file(path, error);
    if (!file)
        return NULL;
    const char *candidates[] = {c->new_weights, c->weights};
    for (int i = 0; i < 2; i++)
        if (file_has_sum(candidates[i], sum_in(file))) {
            settle(candidates[i], c->weights);
            settle(path, c->state);
            return file;
        }
    *error = format_string("%s belongs to other weights than %s", path, c->weights);
    state_file_free(file);
    return NULL;
}

state_file *find_checkpoint(checkpoint *c) {
    char *unfinished, *error;
    /* What is wrong with a state that was still being written does not matter, if there is
     * another. */
    state_file *file = try_state(c, c->new_state, &unfinished);
    if (file)
        return file;
    file = try_state(c, c->state, &error);
    if (!file && !error && unfinished && access(c->weights, F_OK) == 0)
        error = format_string("%s", unfinished);
    if (!file && error)
        fail("%s; -resume=weights starts from the weights alone", error);
    free(unfinished);
    return file;
}

bool has_checkpoint(const checkpoint *c) {
    return access(c->state, F_OK) == 0 || access(c->new_state, F_OK) == 0;
}

void forget_checkpoint(const checkpoint *c) {
    unlink(c->new_state);
    unlink(c->state);
}
