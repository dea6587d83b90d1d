/* Whether what the sections of a cfg refer to is there: layers above, places of a list, classes of
 * a tree, names of activations and policies. The host reads and writes past its arrays where it is
 * not, or takes another name. All of it ends the program
 * with one sentence that names file, section, key and values.
 *
 * Numbers are read as the host reads them, up to the first byte that belongs to none. */
#ifndef CFG_REFERENCES_H
#define CFG_REFERENCES_H

#include "cfg_sizes.h"

/* Host seam, before [net] is read: it must have `inputs` or a picture; `inputs` beside a picture
 * must be the picture's; policy=steps needs as many `scales` as `steps`, policy=step a `step` of at
 * least 1; `policy` must be one that there is. */
void check_net_references(const char *cfg_file, list *options);

/* Host seam, before layer `place` of the network is made, after its sizes have been checked: `from`
 * and `layers` must name layers above it, whose pictures fit; `mask` and `anchors` boxes that there
 * are; [dropout] a layer above; [reorg] and layers of boxes what they get; `activation` is one that
 * there is. */
void check_layer_references(const char *cfg_file, LAYER_TYPE type, list *options,
                            const network *net, layer_place place);

/* Host seam, before layer `index` joins the network: its tree, if it has one, must have a line for
 * each of its classes. */
void check_layer_tree(const char *cfg_file, int index, const layer *l);

/* Host seam, after the last layer: one of them must have an output. */
void check_has_output(const char *cfg_file, const network *net);

/* Host seam, for line `index`, from 0, of a file of a tree: its parent is -1, none, or above it. */
void check_tree_parent(const char *tree_file, int index, int parent);

#endif
