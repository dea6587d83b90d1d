#include "subset.h"

#include <stdbool.h>
#include <stdlib.h>

#include "random_order.h"

/* Keys these streams apart from those of label noise. */
static const uint64_t SUBSET_KEY = 0x737562736574; /* "subset" */

/* How often the class of each image came up before it, going through `order`. */
static size_t *rank_in_class(const image_set *set, size_t classes, const size_t *order) {
    size_t *seen = allocate(classes, sizeof *seen), *ranks = allocate(set->count, sizeof *ranks);
    for (size_t i = 0; i < set->count; i++)
        ranks[order[i]] = seen[set->labels[order[i]]]++;
    free(seen);
    return ranks;
}

static bool *choose(const image_set *set, const size_t *order, const size_t *ranks, size_t wanted) {
    bool *kept = allocate(set->count, sizeof *kept);
    size_t *of_rank = allocate(set->count, sizeof *of_rank), level = 0;
    for (size_t i = 0; i < set->count; i++)
        of_rank[ranks[i]]++;
    while (level < set->count && of_rank[level] <= wanted)
        wanted -= of_rank[level++];
    for (size_t i = 0; i < set->count; i++) {
        size_t image = order[i];
        kept[image] = ranks[image] < level || (ranks[image] == level && wanted);
        wanted -= ranks[image] == level && kept[image];
    }
    free(of_rank);
    return kept;
}

static void drop_others(image_set *set, const bool *kept) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (!kept[i]) {
            if (set->files)
                free(set->files[i]);
            continue;
        }
        set->labels[count] = set->labels[i];
        set->numbers[count] = set->numbers[i];
        if (set->files)
            set->files[count] = set->files[i];
        count++;
    }
    set->count = count;
}

void keep_subset(image_set *set, size_t classes, size_t wanted, uint64_t seed) {
    size_t *order = random_order(random_stream_of(seed, SUBSET_KEY, 0), set->count);
    size_t *ranks = rank_in_class(set, classes, order);
    bool *kept = choose(set, order, ranks, wanted);
    drop_others(set, kept);
    free(order);
    free(ranks);
    free(kept);
}
