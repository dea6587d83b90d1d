/* What is behind net->ranks, for the files that share a network out. */
#ifndef SHARED_NETWORK_STATE_H
#define SHARED_NETWORK_STATE_H

#include "host_random.h"
#include "row_share.h"

#include <stddef.h>

struct gradient_sums;
struct device_sums;

struct shared_rows {
    row_share share;
    bool in_order;         /* shards= is given: sums have the same bits on any number of ranks */
    bool joins_statistics; /* sync_bn=1 */
    int shard;             /* the one in work, of the own ones */
    size_t seen;           /* *net->seen before the iteration */
    host_random random;    /* and rand() then */
    struct gradient_sums *sums;      /* NULL until training begins */
    struct device_sums *device_sums; /* in their place on a GPU */
};

#endif
