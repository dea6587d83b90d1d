/* Whether what the sections of a cfg refer to is there: layers above, places of a list, classes of
 * a tree, names of activations and policies. The host reads and writes past its arrays where it is
 * not, or takes another name. All of it ends the program
 * with one sentence that names file, section, key and values. */
#ifndef CFG_REFERENCES_H
#define CFG_REFERENCES_H

#include "cfg_section.h"

/* For [net]: it must have `inputs` or a picture; `inputs` beside a picture must be the picture's;
 * policy=steps needs as many `scales` as `steps`, policy=step a `step` of at least 1; `policy` must
 * be one that there is. */
void check_net_references(const cfg_section *s);

/* For a layer, after its sizes have been checked: `from` and `layers` must name layers above it,
 * whose pictures fit; `mask` and `anchors` boxes that there are; [dropout] a layer above; [reorg]
 * and layers of boxes what they get; `activation` is one that there is. */
void check_layer_references(const cfg_section *s, LAYER_TYPE type);

/* Host seam, before layer `index` joins the network: its tree, if it has one, must have a line for
 * each of its classes. */
void check_layer_tree(const char *cfg_file, int index, const layer *l);

/* Host seam, after the last layer: one of them must have an output. */
void check_has_output(const char *cfg_file, const network *net);

/* Host seam, for line `index`, from 0, of a file of a tree: its parent is -1, none, or above it. */
void check_tree_parent(const char *tree_file, int index, int parent);

#endif
