/* What an iteration changes in a network before its update: momentum with the gradients that are
 * added to it, and rolling statistics. Kept to put it back. CPU only. */
#ifndef STEP_SNAPSHOT_H
#define STEP_SNAPSHOT_H

#include "darknet.h"

typedef struct step_snapshot step_snapshot;

/* Room for this network's. The caller releases it with step_snapshot_free. */
step_snapshot *step_snapshot_create(const network *net);

/* Accepts NULL. */
void step_snapshot_free(step_snapshot *snapshot);

/* Of the network it was made for, or for put_back the other way round. */
void step_snapshot_take(step_snapshot *snapshot, const network *net);
void step_snapshot_put_back(const step_snapshot *snapshot, network *net);

#endif
