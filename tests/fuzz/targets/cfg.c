#include "fuzz_target.h"
#include "network.h"
#include "parser.h"
#include "run_files.h"

#include <string.h>

/* Files that a section names are not there. */
FUZZ_TARGET_THAT(true, cfg,
                 "darknet/host/src/parser.c darknet/host/src/list.c darknet/host/src/option_list.c "
                 "dlb_layer/cfg_value.c dlb_layer/cfg_section.c dlb_layer/cfg_sizes.c "
                 "dlb_layer/cfg_references.c dlb_layer/net_keys.c dlb_layer/recipe.c "
                 "dlb_layer/dlb_options.c dlb_layer/number_text.c dlb_layer/avgpool_keys.c "
                 "dlb_layer/weight_init.c dlb_layer/bias_key.c dlb_layer/decay_all.c") {
    char *text = text_of(data, size);
    char *path = file_of(text, strlen(text));
    network *net = parse_network_cfg(path);
    free_network(net);
}
