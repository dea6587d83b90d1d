#include "bias_key.h"

#include "cfg_value.h"
#include "fail.h"

static const char SECTION[] = "[convolutional]";

void read_bias_key(const char *cfg_file, list *options, layer *l) {
    if (cfg_whole_value(cfg_file, SECTION, options, "bias", 0, 1, 1))
        return;
    if (l->batch_normalize)
        fail("%s: %s bias=0 does not go with batch_normalize=1, whose shift the biases are",
             cfg_file, SECTION);
    l->nbiases = 0;
}

void check_loaded_biases(const char *weights_file, int index, const layer *l) {
    if (l->type != CONVOLUTIONAL || l->nbiases)
        return;
    for (int i = 0; i < l->n; i++)
        if (l->biases[i] != 0)
            fail("%s: layer %d, a %s with bias=0, has a bias of %g there", weights_file, index,
                 SECTION, l->biases[i]);
}
