#include "train_checks.h"

#include "cfg_sizes.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "layer_arrays.h"
#include "network.h"
#include "option_list.h"
#include "ranks.h"
#include "recipe.h"
#include "shared_network.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void check_backup_folder(const char *folder) {
    struct stat status;
    bool exists = !stat(folder, &status);
    if (exists && !S_ISDIR(status.st_mode))
        fail("cannot write into the backup folder %s: %s", folder, strerror(ENOTDIR));
    if (!exists || access(folder, W_OK | X_OK))
        fail("cannot write into the backup folder %s: %s", folder, strerror(errno));
}

void check_stock_training(network *net, const char *cfg_file, const char *data_file,
                          list *data_options, int images) {
    ranks_begin();
    if (rank_count() > 1)
        fail("-stock_loader trains in one process, but there are %d", rank_count());
    if (find_dlb_cost_layer(net))
        fail("%s has [dlb_cost], which needs its own loader; leave out -stock_loader", cfg_file);
    refuse_recipe(net, cfg_file);
    check_classes(data_file, option_find_int_quiet(data_options, "classes", 2), cfg_file, net);
    if (!images)
        fail("%s: train=%s names no image", data_file,
             option_find_str(data_options, "train", "data/train.list"));
    check_backup_folder(option_find_str(data_options, "backup", "/backup/"));
}

static int batch_of(const network *net) {
    return rows_of_all(net) * net->subdivisions;
}

static void check_crop(const char *cfg_file, const char *which, float side) {
    enum { LARGEST_SIDE = 1 << 16 };
    if (!(side >= 1 && side <= LARGEST_SIDE))
        fail("%s: %s_crop or %s_ratio makes a side of %g pixels; 1 to %d is possible", cfg_file,
             which, which, side, LARGEST_SIDE);
}

/* The host can resize these, and nothing behind an [avgpool] has to be. */
static void check_resizable(const char *cfg_file, const network *net) {
    for (int i = 0; i < net->n && net->layers[i].type != AVGPOOL; i++)
        switch (net->layers[i].type) {
        case CONVOLUTIONAL:
        case CROP:
        case MAXPOOL:
        case ROUTE:
        case SHORTCUT:
        case UPSAMPLE:
        case REORG:
        case NORMALIZATION:
            break;
        default:
            fail("%s: random=1 resizes the network, but layer %d, a [%s], has a fixed size; only "
                 "layers after an [avgpool] may",
                 cfg_file, i, get_layer_string(net->layers[i].type));
        }
}

static bool is_normalised(const layer *l) {
    return l->batch_normalize || l->type == BATCHNORM;
}

static void check_shared_layers(const network *net, const char *cfg_file) {
    for (int i = 0; i < net->n && net->ranks; i++) {
        const layer *l = &net->layers[i];
        row_share share = share_of_network(net);
        if (has_unknown_arrays(l))
            fail("%s: layer %d, a [%s], whose parameters are not known, cannot be trained by "
                 "several ranks or in shards",
                 cfg_file, i, get_layer_string(l->type));
        if (is_normalised(l) && net->batch * l->out_w * l->out_h == 1)
            fail("%s: layer %d, a [%s], would normalise each channel by a single value: with "
                 "batch/subdivisions = %d each of the %d parts has one row",
                 cfg_file, i, get_layer_string(l->type), share.rows, share.shards);
    }
}

void check_training_network(const network *net, const char *cfg_file, const classifier_data *data,
                            const char *data_file, bool validates) {
    int images = data->list.count;
    check_image_input(cfg_file, net);
    if (net->truths != net->outputs)
        fail("%s: the last layer wants %d truths an image, but there are %d classes", cfg_file,
             net->truths, net->outputs);
    check_crop(cfg_file, "min", net->min_ratio * (float)net->w);
    check_crop(cfg_file, "max", net->max_ratio * (float)net->w);
    if (net->random)
        check_resizable(cfg_file, net);
    check_recipe(net, cfg_file, data);
    check_shared_layers(net, cfg_file);
    check_training_memory(cfg_file, net, has_validation_copy(net) && validates);
    if (images < batch_of(net) / 2)
        fail("%s: %s has %d images, fewer than half of batch=%d in %s", data_file, data->list_file,
             images, batch_of(net), cfg_file);
}
