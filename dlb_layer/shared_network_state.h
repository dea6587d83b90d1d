/* What is behind net->ranks, for the files that share a network out. */
#ifndef SHARED_NETWORK_STATE_H
#define SHARED_NETWORK_STATE_H

#include "row_share.h"

struct gradient_sums;
struct device_sums;

struct shared_rows {
    row_share share;
    bool joins_statistics;           /* sync_bn=1 */
    struct gradient_sums *sums;      /* NULL until training begins */
    struct device_sums *device_sums; /* in their place on a GPU */
};

#endif
