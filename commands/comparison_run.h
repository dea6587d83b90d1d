/* One run of a comparison: one training, in a process of its own. */
#ifndef DLB_COMPARISON_RUN_H
#define DLB_COMPARISON_RUN_H

#include <stdbool.h>

#include "comparison_files.h"

/* Trains an arm with a seed in its folder, and writes finished.txt, or failed.txt where the
 * training fails. Goes on from the checkpoint that a run before has left there; without one from
 * the start, in a folder that is emptied first. Blocks until then; where the calling process dies,
 * the training saves and ends. What the training prints goes into train.out and train.err; where
 * standard error is a terminal, a line there says how far it is. threads: that load images; 0: the
 * default of `classifier train`.
 *
 * Returns whether it finished, be it by another process that was at the same run a moment ago.
 * Fails where another process stays at it, or where a file cannot be written. */
bool train_run(const char *folder, const comparison *about, size_t arm, uint64_t seed, int threads);

/* Runs all the checks that come before the first iteration of the arm's training, in a process of
 * its own. Returns NULL, or the sentence that it ended with; the caller frees it. */
char *check_run(const char *folder, const comparison *about, size_t arm);

/* `darknet dlb run FOLDER ARM SEED [-threads N]`: one run of a comparison that
 * `dlb compare` or its -plan has set up; nothing where it has finished already. */
void run_run(int argc, char **argv);

#endif
