#include "cfg_section.h"

#include "cfg_references.h"
#include "cfg_sizes.h"
#include "fail.h"

#include <stdlib.h>
#include <string.h>

static char *name_layer(int index, const char *type) {
    return format_string("layer %d, a %s", index, type);
}

char *name_section(const char *cfg_file, const char *type, int index) {
    char *section = index < 0 ? format_string("%s", type) : name_layer(index, type);
    char *name = format_string("%s: %s", cfg_file, section);
    free(section);
    return name;
}

void check_net_section(const char *cfg_file, list *options) {
    cfg_section s = {.cfg_file = cfg_file, .name = "[net]", .options = options};
    check_net_sizes(&s);
    check_net_references(&s);
}

void check_layer_section(const char *cfg_file, LAYER_TYPE type, list *options, const network *net,
                         layer_place place) {
    char *name = name_layer(place.index, place.section);
    cfg_section s = {cfg_file, name, options, net, place};
    check_layer_sizes(&s, type);
    check_layer_references(&s, type);
    free(name);
}

const char *next_place(const char *at) {
    const char *comma = strchr(at, ',');
    return comma ? comma + 1 : NULL;
}

int layer_above(const cfg_section *s, const char *number) {
    long named = strtol(number, NULL, 10);
    long index = named < 0 ? s->place.index + named : named;
    return index >= 0 && index < s->place.index ? (int)index : -1;
}
