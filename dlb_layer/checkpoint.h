/* A checkpoint: `<base>.backup`, a weights file, and `<base>.state`, a state file that names the
 * sum of the weights file that it belongs to, so that the two are never from different moments.
 *
 * Both are written aside, as `.new`, and brought to disk. Only then the new weights take the place
 * of the old ones, and the new state after them. Whenever that is interrupted, one of the two
 * states there fits one of the two weights files there. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "darknet.h"
#include "state_file.h"

#include <stdbool.h>

typedef struct {
    char *weights, *new_weights, *state, *new_state; /* paths */
    bool state_waits; /* the state that fits the weights could not be renamed yet */
} checkpoint;

/* The checkpoint of this name in `folder`; touches nothing. Release it with free_checkpoint(). */
checkpoint checkpoint_of(const char *folder, const char *base);
void free_checkpoint(checkpoint *c);

/* Writes both files; `content` puts the state's blocks. Returns NULL, or a fresh sentence: the
 * checkpoint before is there as it was then. */
char *write_checkpoint(checkpoint *c, network *net, state_content content, void *context);

/* Reads the newest state that fits a weights file, and gives both their names where they have not
 * got them yet. Returns NULL where there is no state at all; the caller releases it with
 * state_file_free(). Ends the program, saying why, where there is one that is damaged, of another
 * version, or without its weights. */
state_file *find_checkpoint(checkpoint *c);

/* Whether there is a state, be it sound or not. */
bool has_checkpoint(const checkpoint *c);

/* Removes the states, so that nothing can be resumed; the weights stay. */
void forget_checkpoint(const checkpoint *c);

#endif
