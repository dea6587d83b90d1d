/* The sections of a cfg, each shown to all checks before the host acts on it: to cfg_sizes.h first,
 * whether its sizes can be had, then to cfg_references.h, whether what it refers to is there. */
#ifndef CFG_SECTION_H
#define CFG_SECTION_H

#include "darknet.h"

/* A layer before it is made, and what it gets from the one above it. */
typedef struct {
    const char *section; /* "[convolutional]" */
    int index;
    int batch, inputs, height, width, channels;
} layer_place;

/* A section, and what is known where it stands. All of it is the caller's. */
typedef struct {
    const char *cfg_file;
    const char *name; /* "[net]" or "layer 3, a [convolutional]" */
    list *options;
    const network *net; /* of layers; NULL for [net] */
    layer_place place;  /* of layers; 0 for [net] */
} cfg_section;

/* Host seam, for the section of `type`, "[net]" or "[route]", that makes layer `index`, or none
 * where that is negative: the name that errors give its options, "x.cfg: [net]" or "x.cfg: layer 3,
 * a [route]". The caller frees it. */
char *name_section(const char *cfg_file, const char *type, int index);

/* Host seam, before [net] is read: ends the program with one sentence if a check refuses it. */
void check_net_section(const char *cfg_file, list *options);

/* Host seam, before layer `place` of the network is made: the same for its section. */
void check_layer_section(const char *cfg_file, LAYER_TYPE type, list *options, const network *net,
                         layer_place place);

/* What stands behind the next comma of a list of numbers; NULL where there is none. */
const char *next_place(const char *at);

/* The index of the layer above the section's that a number names, from 0, or back from the section
 * where it is negative; -1 where there is no such layer. */
int layer_above(const cfg_section *s, const char *number);

#endif
