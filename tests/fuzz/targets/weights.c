#include "fuzz_target.h"
#include "network.h"
#include "parser.h"
#include "run_files.h"

#include <stdlib.h>
#include <string.h>

static const char CFG[] = "[net]\nbatch=1\nwidth=4\nheight=4\nchannels=3\n"
                          "[convolutional]\nbatch_normalize=1\nfilters=2\nsize=3\npad=1\n"
                          "[convolutional]\nfilters=2\nsize=1\nbias=0\n[batchnorm]\n"
                          "[connected]\noutput=3\n[softmax]\n";

FUZZ_TARGET_THAT(true, weights, "darknet/host/src/parser.c dlb_layer/bias_key.c") {
    network *net = parse_network_cfg(file_of(CFG, strlen(CFG)));
    load_weights(net, file_of(data, size));
    free_network(net);
}
