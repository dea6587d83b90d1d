#include "recipe.h"

#include "dlb_cost_layer.h"
#include "fail.h"
#include "fused_batchnorm.h"
#include "nesterov.h"
#include "network.h"
#include "option_list.h"
#include "shared_network.h"
#include "step_graph.h"

#include <stdlib.h>
#include <string.h>

struct recipe {
    net_keys keys;
    char *cfg_file;
    char *first;    /* KEY=VALUE of the first of the keys, for messages */
    bool is_known;  /* to the training that is running */
    nesterov *look; /* NULL until training begins */
    float *normalised;
    size_t room; /* floats there */
    /* NULL until training begins with fused_batchnorm=1 on a GPU */
    struct fused_batchnorm *batchnorm;
};

/* ---- reading ---- */

static char *find_first_pair(list *pairs) {
    for (node *n = pairs->front; n; n = n->next) {
        const kvp *pair = n->val;
        if (is_net_key(pair->key))
            return format_string("%s=%s", pair->key, pair->val ? pair->val : "");
    }
    return NULL;
}

static net_keys read_keys(const char *cfg_file, list *pairs) {
    const char **keys = allocate((size_t)pairs->size, sizeof *keys);
    const char **values = allocate((size_t)pairs->size, sizeof *values);
    int count = 0;
    for (node *n = pairs->front; n; n = n->next) {
        kvp *pair = n->val;
        if (is_net_key(pair->key))
            pair->used = 1;
        keys[count] = pair->key;
        values[count++] = pair->val;
    }
    net_keys read = net_keys_parse(cfg_file, keys, values, count);
    free(keys);
    free(values);
    return read;
}

static void check_nesterov(const char *cfg_file, const network *net) {
    if (net->adam)
        fail("%s: [net] nesterov=1 and adam=%d exclude each other", cfg_file, net->adam);
    if (!(net->momentum > 0))
        fail("%s: [net] nesterov=1 needs a momentum above 0, but momentum=%g", cfg_file,
             net->momentum);
}

struct recipe *parse_recipe(const char *cfg_file, list *options, const network *net) {
    char *first = find_first_pair(options);
    if (!first)
        return NULL;
    net_keys keys = read_keys(cfg_file, options);
    if (keys.normalises && net->c != IMAGE_CHANNELS)
        fail("%s: [net] mean= and std= are for images of %d channels, but channels=%d", cfg_file,
             IMAGE_CHANNELS, net->c);
    if (keys.nesterov)
        check_nesterov(cfg_file, net);
    struct recipe *recipe = allocate(1, sizeof *recipe);
    recipe->keys = keys;
    recipe->cfg_file = format_string("%s", cfg_file);
    recipe->first = first;
    return recipe;
}

void free_recipe(struct recipe *recipe) {
    if (!recipe)
        return;
    nesterov_free(recipe->look);
    free_fused_batchnorm(recipe->batchnorm);
    free(recipe->normalised);
    free(recipe->cfg_file);
    free(recipe->first);
    free(recipe);
}

net_keys recipe_keys(const network *net) {
    return net->recipe ? net->recipe->keys : net_keys_defaults();
}

/* ---- checks ---- */

static void check_soft_labels(const network *net, const struct recipe *recipe, const char *cfg_file,
                              const classifier_data *data) {
    int last = net->n - 1;
    if (last > 0 && net->layers[last].type == DLB_COST)
        last--;
    const layer *l = &net->layers[last];
    if (l->type != SOFTMAX || l->groups != 1 || l->spatial || l->softmax_tree || l->noloss)
        fail("%s: label_smoothing, mixup and cutmix need a network that ends in a [softmax] with "
             "groups=1 and without tree, spatial and noloss, but layer %d, a [%s], ends this one",
             cfg_file, last, get_layer_string(l->type));
    if (data->hierarchy)
        fail("%s: %s makes soft labels, which classes in a tree cannot have", cfg_file,
             recipe->first);
}

static void check_rows_to_mix(network *net, const struct recipe *recipe, const char *cfg_file) {
    bool halves = find_dlb_cost_layer(net);
    int all = rows_of_all(net), rows = halves ? all / 2 : all;
    if (rows < 2)
        fail("%s: %s=%g mixes the rows of %s micro-batch, but with batch/subdivisions = %d that is "
             "%d row",
             cfg_file, recipe->keys.mixup > 0 ? "mixup" : "cutmix",
             recipe->keys.mixup > 0 ? recipe->keys.mixup : recipe->keys.cutmix,
             halves ? "half a" : "a", all, rows);
}

void check_recipe(const network *net, const char *cfg_file, const classifier_data *data) {
    const struct recipe *recipe = net->recipe;
    if (!recipe)
        return;
    int unknown = recipe->keys.nesterov ? find_layer_without_nesterov(net) : -1;
    if (unknown >= 0)
        fail("%s: nesterov=1 does not know how layer %d, a [%s], is updated", cfg_file, unknown,
             get_layer_string(net->layers[unknown].type));
    if (recipe->keys.cuda_graph)
        check_step_graph(net, cfg_file);
    if (recipe->keys.fused_bn)
        check_fused_batchnorm(net, cfg_file);
    if (has_soft_labels(&recipe->keys))
        check_soft_labels(net, recipe, cfg_file, data);
    if (mixes_rows(&recipe->keys))
        check_rows_to_mix((network *)net, recipe, cfg_file);
}

void refuse_recipe(const network *net, const char *cfg_file) {
    if (net->recipe)
        fail("%s: [net] %s is known to `classifier train` alone, and not with -stock_loader",
             cfg_file, net->recipe->first);
}

void allow_recipe_training(network *net) {
    if (net->recipe)
        net->recipe->is_known = true;
}

/* ---- at work ---- */

float *normalised_input(network *net, float *input) {
    struct recipe *recipe = net->recipe;
    if (!recipe || !recipe->keys.normalises)
        return input;
    size_t row = (size_t)net->inputs, floats = (size_t)net->batch * row;
    if (recipe->room < floats) {
        free(recipe->normalised);
        recipe->normalised = allocate(floats, sizeof *recipe->normalised);
        recipe->room = floats;
    }
    for (size_t at = 0; at < floats; at += row)
        normalise_planes(&recipe->keys.statistics, row / IMAGE_CHANNELS, input + at,
                         recipe->normalised + at);
    return recipe->normalised;
}

void begin_recipe_step(network *net) {
    struct recipe *recipe = net->recipe;
    if (!recipe)
        return;
    if (!recipe->is_known)
        refuse_recipe(net, recipe->cfg_file);
    if (recipe->keys.nesterov && !recipe->look)
        recipe->look = nesterov_create(net);
    if (recipe->keys.fused_bn && !recipe->batchnorm)
        recipe->batchnorm = make_fused_batchnorm(net);
}

struct fused_batchnorm *recipe_batchnorm(const network *net) {
    return net->recipe ? net->recipe->batchnorm : NULL;
}

float *recipe_before(const network *net, const float *values) {
    return net->recipe && net->recipe->look ? nesterov_before(net->recipe->look, values) : NULL;
}

void finish_recipe_update(network *net, update_args a) {
    if (net->recipe && net->recipe->look)
        nesterov_step(net->recipe->look, net, a);
}
