#include "avgpool_keys.h"

#include "cfg_value.h"
#include "fail.h"

#include <limits.h>

static const char SECTION[] = "[avgpool]";

static void check_windows(const char *cfg_file, avgpool_keys keys, int width, int height) {
    int smaller = width < height ? width : height;
    if (keys.size > smaller + keys.padding)
        fail("%s: %s size=%d is larger than its input of %d x %d with padding=%d", cfg_file,
             SECTION, keys.size, width, height, keys.padding);
}

avgpool_keys read_avgpool_keys(const char *cfg_file, list *options, int width, int height) {
    avgpool_keys keys = {0};
    if (!cfg_has(options, "size") && !cfg_has(options, "stride")) {
        if (cfg_has(options, "padding"))
            fail("%s: %s padding= needs size= too", cfg_file, SECTION);
        return keys;
    }
    keys.stride = cfg_whole_value(cfg_file, SECTION, options, "stride", 1, INT_MAX, 1);
    keys.size = cfg_whole_value(cfg_file, SECTION, options, "size", 1, INT_MAX, keys.stride);
    /* less than size, so that every window has a pixel of the picture */
    keys.padding = cfg_whole_value(cfg_file, SECTION, options, "padding", 0, keys.size - 1, 0);
    check_windows(cfg_file, keys, width, height);
    return keys;
}
