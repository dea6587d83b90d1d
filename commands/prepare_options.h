/* What `darknet dlb prepare` was asked to do. */
#ifndef DLB_PREPARE_OPTIONS_H
#define DLB_PREPARE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *data_set;
    const char *src; /* NULL where only OUT was given */
    const char *out;
    size_t subset;        /* 0: the whole training list */
    uint64_t subset_seed; /* 1 unless given */
    double noise;         /* 0 <= noise < 1 */
    uint64_t noise_seed;  /* 1 unless given */
} prepare_options;

/* From DATASET [SRC] OUT and the options, in any order, in the (count) words. Fails where an option
 * is unknown, has no value or one out of range, a seed is given without what it is for, or there
 * are more or fewer words; each message ends in `usage`. The strings stay the words' own. */
prepare_options read_prepare_options(int count, char **words, const char *usage);

#endif
