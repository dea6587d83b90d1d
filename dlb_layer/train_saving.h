/* What a training saves, and what it does where that fails: it goes on, says so, and remembers. */
#ifndef TRAIN_SAVING_H
#define TRAIN_SAVING_H

#include "checkpoint.h"

#include <stdint.h>

/* How often a checkpoint is due; both 0: never. */
typedef struct {
    uint64_t iterations;
    double minutes;
} checkpoint_interval;

typedef struct train_saving train_saving;

/* The caller releases it with train_saving_free(). */
train_saving *train_saving_create(const char *folder, const char *base, checkpoint_interval every);
void train_saving_free(train_saving *saving);

/* The files of the checkpoint. */
checkpoint *train_saving_checkpoint(train_saving *saving);

/* Saves weights as FOLDER/name. Returns whether that went well. */
bool train_saving_weights(train_saving *saving, network *net, const char *name);

/* Whether it is ever time for one that nobody asks for. */
bool keeps_checkpoints(const train_saving *saving);

/* Whether it is time for a checkpoint after so many iterations, or by the clock. */
bool checkpoint_is_due_after(const train_saving *saving, uint64_t iterations);
bool checkpoint_is_due_by_clock(const train_saving *saving);

/* Writes the checkpoint, unless `obstacle`, a fresh sentence that it frees, is in its way. Returns
 * whether that went well. */
bool train_saving_write_checkpoint(train_saving *saving, network *net, state_content content,
                                   void *context, char *obstacle);

/* Notes how the writing of the file called `name` went: `error` is NULL or a fresh sentence, which
 * it frees. A file counts as lost until it is written after all. The first failure is said on
 * standard error, then one a minute. */
void note_saving(train_saving *saving, const char *name, char *error);

/* A fresh list of the files that are lost; NULL: none. */
char *lost_files(const train_saving *saving);

#endif
