#include "fuzz_target.h"
#include "network.h"
#include "parser.h"
#include "run_files.h"

#include <string.h>

/* What a network of an image classifier is made of, but for [shortcut], [route] and [dropout]:
 * there the host reads past its layers where an index is none of them. */
static const char *const SECTIONS[] = {
    "[net]",       "[network]",    "[convolutional]", "[conv]",    "[connected]", "[conn]",
    "[maxpool]",   "[max]",        "[avgpool]",       "[avg]",     "[softmax]",   "[soft]",
    "[batchnorm]", "[activation]", "[cost]",          "[dlb_cost]"};

static bool is_known(const char *line, size_t length) {
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++)
        if (length == strlen(SECTIONS[i]) && !memcmp(line, SECTIONS[i], length))
            return true;
    return false;
}

/* As the host reads it, which takes blanks out of lines. Without a layer that has an output
 * the host reads before its layers. */
static bool is_classifier(const char *text) {
    char line[256];
    size_t length = 0;
    int layers = 0;
    for (;; text++) {
        if (*text && *text != '\n') {
            if (!strchr(" \t\r", *text) && length < sizeof line - 1)
                line[length++] = *text;
            continue;
        }
        line[length] = '\0';
        bool section = line[0] == '[';
        if (section && !is_known(line, length))
            return false;
        layers += section && line[1] != 'n' && strncmp(line, "[cost", 5) != 0;
        length = 0;
        if (!*text)
            return layers > 0;
    }
}

FUZZ_TARGET_THAT(true, cfg,
                 "darknet/host/src/parser.c darknet/host/src/list.c darknet/host/src/option_list.c "
                 "dlb_layer/cfg_value.c "
                 "dlb_layer/net_keys.c dlb_layer/recipe.c dlb_layer/dlb_options.c "
                 "dlb_layer/number_text.c dlb_layer/avgpool_keys.c dlb_layer/weight_init.c "
                 "dlb_layer/bias_key.c dlb_layer/decay_all.c") {
    char *text = text_of(data, size);
    if (!is_classifier(text) || strstr(text, "steps"))
        return;
    char *path = file_of(text, strlen(text));
    network *net = parse_network_cfg(path);
    free_network(net);
}
