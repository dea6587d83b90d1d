#include "net_keys.h"

#include "fail.h"
#include "number_text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 16, MOST_SHARDS = 1 << 12 };
static const double MOST_SHAPE = 1000, LEAST_STD = 1e-6;

typedef enum {
    NESTEROV,
    SYNC_BN,
    SHARDS,
    PAD_CROP,
    FLIP,
    MEAN,
    STD,
    CUTOUT,
    LABEL_SMOOTHING,
    MIXUP,
    CUTMIX,
    CUTMIX_PROB,
    CUDA_GRAPH,
    FUSED_BATCHNORM,
    AUGMENT_ON_GPU,
    KEY_COUNT
} key_number;

/* One key: to add one, add its number above, a row here, a field in net_keys and a line in
 * assign(). */
typedef struct {
    const char *name;
    number_range range;
    int numbers;      /* with commas in between */
    const char *said; /* the range in words */
} key;

static const key KEYS[KEY_COUNT] = {
    [NESTEROV] = {"nesterov", {0, 1, true}, 1, "0 or 1"},
    [SYNC_BN] = {"sync_bn", {0, 1, true}, 1, "0 or 1"},
    [SHARDS] = {"shards", {1, MOST_SHARDS, true}, 1, "a power of 2 from 1 to 4096"},
    [PAD_CROP] = {"pad_crop", {0, MOST_PIXELS, true}, 1, "a whole number from 0 to 65536"},
    [FLIP] = {"flip", {0, 1, true}, 1, "0 or 1"},
    [MEAN] = {"mean", {0, 1}, IMAGE_CHANNELS, "three numbers from 0 to 1, with commas"},
    [STD] = {"std", {LEAST_STD, 1}, IMAGE_CHANNELS, "three numbers from 1e-6 to 1, with commas"},
    [CUTOUT] = {"cutout", {0, MOST_PIXELS, true}, 1, "a whole number from 0 to 65536"},
    [LABEL_SMOOTHING] = {"label_smoothing", {0, 1}, 1, "a number from 0 to 1"},
    [MIXUP] = {"mixup", {0, MOST_SHAPE}, 1, "a number from 0 to 1000"},
    [CUTMIX] = {"cutmix", {0, MOST_SHAPE}, 1, "a number from 0 to 1000"},
    [CUTMIX_PROB] = {"cutmix_prob", {0, 1}, 1, "a number from 0 to 1"},
    [CUDA_GRAPH] = {"cuda_graph", {0, 1, true}, 1, "0 or 1"},
    [FUSED_BATCHNORM] = {"fused_batchnorm", {0, 1, true}, 1, "0 or 1"},
    [AUGMENT_ON_GPU] = {"augment_on_gpu", {0, 1, true}, 1, "0 or 1"},
};

/* The host's, which rule the crop that pad_crop takes the place of. */
static const char *const CROP_KEYS[] = {"min_crop",  "max_crop", "min_ratio",
                                        "max_ratio", "angle",    "aspect"};
enum { CROP_KEY_COUNT = sizeof CROP_KEYS / sizeof *CROP_KEYS };

/* What the section says, as text; NULL where it does not. */
typedef struct {
    const char *cfg_file;
    const char *values[KEY_COUNT];
    const char *crop_key, *crop_value; /* one of CROP_KEYS */
} section;

static int find_key(const char *name) {
    for (int i = 0; i < KEY_COUNT; i++)
        if (!strcmp(name, KEYS[i].name))
            return i;
    return KEY_COUNT;
}

bool is_net_key(const char *name) {
    return find_key(name) < KEY_COUNT;
}

net_keys net_keys_defaults(void) {
    return (net_keys){.flips = true, .cutmix_prob = 1};
}

/* ---- one value ---- */

/* Reads `count` numbers with commas in between. */
static bool read_numbers(const char *text, number_range range, int count, double *numbers) {
    char *copy = format_string("%s", text), *at = copy;
    bool good = true;
    for (int i = 0; i < count && good; i++) {
        char *comma = strchr(at, ',');
        good = (comma != NULL) == (i < count - 1);
        if (comma)
            *comma = '\0';
        good = good && read_number_text(at, range, &numbers[i]);
        if (comma)
            at = comma + 1;
    }
    free(copy);
    return good;
}

static void assign(net_keys *keys, key_number number, const double *values) {
    float value = (float)values[0];
    switch (number) {
    case NESTEROV:
        keys->nesterov = value != 0;
        break;
    case SYNC_BN:
        keys->sync_bn = value != 0;
        break;
    case SHARDS:
        keys->shards = (int)value;
        break;
    case PAD_CROP:
        keys->pads = true;
        keys->pad_crop = (int)value;
        break;
    case FLIP:
        keys->flips = value != 0;
        break;
    case MEAN:
        keys->normalises = true;
        for (int c = 0; c < IMAGE_CHANNELS; c++)
            keys->statistics.mean[c] = (float)values[c];
        break;
    case STD:
        for (int c = 0; c < IMAGE_CHANNELS; c++)
            keys->statistics.std[c] = (float)values[c];
        break;
    case CUTOUT:
        keys->cutout = (int)value;
        break;
    case LABEL_SMOOTHING:
        keys->label_smoothing = value;
        break;
    case MIXUP:
        keys->mixup = value;
        break;
    case CUTMIX:
        keys->cutmix = value;
        break;
    case CUTMIX_PROB:
        keys->cutmix_prob = value;
        break;
    case CUDA_GRAPH:
        keys->cuda_graph = value != 0;
        break;
    case FUSED_BATCHNORM:
        keys->fused_bn = value != 0;
        break;
    case AUGMENT_ON_GPU:
        keys->augment_on_gpu = value != 0;
        break;
    case KEY_COUNT:
        break;
    }
}

/* ---- the section ---- */

static void note_crop_key(section *s, const char *name, const char *value) {
    for (int i = 0; i < CROP_KEY_COUNT; i++)
        if (!strcmp(name, CROP_KEYS[i])) {
            s->crop_key = name;
            s->crop_value = value;
        }
}

static section find_values(const char *cfg_file, const char *const *names,
                           const char *const *values, int count) {
    section s = {.cfg_file = cfg_file};
    for (int i = 0; i < count; i++) {
        int number = find_key(names[i]);
        note_crop_key(&s, names[i], values[i]);
        if (number == KEY_COUNT)
            continue;
        if (s.values[number])
            fail("%s: [net] gives %s twice", cfg_file, names[i]);
        s.values[number] = values[i] ? values[i] : "";
    }
    return s;
}

static void refuse_pair(const section *s, key_number one, key_number other) {
    fail("%s: [net] %s=%s and %s=%s exclude each other", s->cfg_file, KEYS[one].name,
         s->values[one], KEYS[other].name, s->values[other]);
}

static void refuse_alone(const section *s, key_number given, key_number missing) {
    if (s->values[given] && !s->values[missing])
        fail("%s: [net] %s=%s needs %s= too", s->cfg_file, KEYS[given].name, s->values[given],
             KEYS[missing].name);
}

static bool is_power_of_2(int number) {
    return number > 0 && (number & (number - 1)) == 0;
}

static void check_shards(const section *s, const net_keys *keys) {
    if (s->values[SHARDS] && !is_power_of_2(keys->shards))
        fail("%s: [net] shards=%s is not %s", s->cfg_file, s->values[SHARDS], KEYS[SHARDS].said);
    if (keys->shards > 1 && keys->sync_bn)
        refuse_pair(s, SYNC_BN, SHARDS);
}

static void check_contradictions(const section *s, const net_keys *keys) {
    check_shards(s, keys);
    refuse_alone(s, MEAN, STD);
    refuse_alone(s, STD, MEAN);
    refuse_alone(s, CUTMIX_PROB, CUTMIX);
    if (keys->mixup > 0 && keys->cutmix > 0)
        refuse_pair(s, MIXUP, CUTMIX);
    if (keys->pads && s->crop_key)
        fail("%s: [net] pad_crop=%s and %s=%s exclude each other", s->cfg_file, s->values[PAD_CROP],
             s->crop_key, s->crop_value);
}

net_keys net_keys_parse(const char *cfg_file, const char *const *names, const char *const *values,
                        int count) {
    section s = find_values(cfg_file, names, values, count);
    net_keys keys = net_keys_defaults();
    for (int i = 0; i < KEY_COUNT; i++) {
        double numbers[IMAGE_CHANNELS] = {0};
        if (!s.values[i])
            continue;
        if (!read_numbers(s.values[i], KEYS[i].range, KEYS[i].numbers, numbers))
            fail("%s: [net] %s=%s is not %s", cfg_file, KEYS[i].name, s.values[i], KEYS[i].said);
        assign(&keys, (key_number)i, numbers);
    }
    check_contradictions(&s, &keys);
    return keys;
}

bool has_soft_labels(const net_keys *keys) {
    return keys->label_smoothing > 0 || mixes_rows(keys);
}

bool mixes_rows(const net_keys *keys) {
    return keys->mixup > 0 || keys->cutmix > 0;
}
