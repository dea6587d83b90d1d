/* Whether a launcher of several processes, such as mpirun or srun, has started this one, by the
 * variables that it sets; and becoming one. For one thread. */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>

/* Whether there is a sign of a launcher of MPI's. */
bool is_launched(void);

/* Ends the program where a launcher says that it has started several processes: for one that found
 * itself alone, because as many copies of one training would write the same files. `why` says, as
 * the end of a sentence, why it may be alone. */
void refuse_to_be_one_of_many(const char *why);

/* Becomes `mpirun`, a launcher's name or path, which starts `ranks` processes of argv, the program
 * and its arguments with NULL at their end, bound to no cores; says so in a line on standard error.
 * Returns where this process has been started by a launcher itself: the variable that says so. What
 * mpirun starts has one of ours, whatever mpirun is. Ends the program with one sentence where
 * mpirun cannot be run. */
const char *become_launcher(const char *mpirun, int ranks, char *const *argv);

/* Takes the launcher's variables out of the environment, so that processes started from here on
 * are on their own. */
void forget_launcher(void);

#endif
