/* Whether a launcher of several processes, such as mpirun or srun, has started this one, by the
 * variables that it sets. For one thread. */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>

/* Whether there is a sign of a launcher of MPI's. */
bool is_launched(void);

/* Ends the program where a launcher says that it has started several processes: for one that found
 * itself alone, because as many copies of one training would write the same files. `why` says, as
 * the end of a sentence, why it may be alone. */
void refuse_to_be_one_of_many(const char *why);

/* Takes the launcher's variables out of the environment, so that processes started from here on
 * are on their own. */
void forget_launcher(void);

#endif
