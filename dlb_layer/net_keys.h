/* The keys of [net] that this plugin adds: the recipe of training and the augmentations.
 *
 * docs/recipe.md says what each does and who defined it. */
#ifndef NET_KEYS_H
#define NET_KEYS_H

#include "normalise.h"

#include <stdbool.h>

typedef struct {
    bool nesterov;
    bool sync_bn;    /* batch normalisation's statistics over all ranks, see shared_network.h */
    int shards;      /* parts of a micro-batch, computed one by one; 0: not given */
    bool cuda_graph; /* on a GPU, steps as graphs; see step_graph.h */
    bool fused_bn;   /* fused_batchnorm; see fused_batchnorm.h */
    bool pads;       /* pad_crop was given */
    int pad_crop;    /* zeros on each side, pixels */
    bool flips;      /* flip=1, the default */
    bool normalises; /* mean and std were given */
    channel_statistics statistics;
    int cutout;            /* side of the square, pixels; 0: none */
    float label_smoothing; /* part of the truth that goes to all classes alike; 0: none */
    float mixup, cutmix;   /* shape of the Beta distribution; 0: none; never both */
    float cutmix_prob;     /* part of the rows that cutmix mixes */

    bool augment_on_gpu; /* on a GPU, rows are rendered there; see drawn_rows.h */
} net_keys;

/* What a cfg without any of the keys means. */
net_keys net_keys_defaults(void);

/* Whether `key` is one of them. */
bool is_net_key(const char *key);

/* Reads the `count` pairs names[i] = values[i] of a [net] section, and passes over the host's own
 * keys. Ends the program with one sentence naming `cfg_file`, key and value where one of these keys
 * is given twice, has a value that is missing, no number or out of range, or contradicts another
 * key: mean without std, mixup with cutmix, pad_crop with the host's crop keys ... */
net_keys net_keys_parse(const char *cfg_file, const char *const *names, const char *const *values,
                        int count);

/* Whether truths are no longer one 1 among zeros. */
bool has_soft_labels(const net_keys *keys);

/* Whether rows are mixed with each other. */
bool mixes_rows(const net_keys *keys);

#endif
