#include "weights_file.h"

#include "fail.h"
#include "finite_values.h"
#include "layer_arrays.h"
#include "network.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool partial_is_allowed;

void allow_partial_weights(void) {
    partial_is_allowed = true;
}

/* ---- the header ---- */

enum { VERSION_BYTES = 3 * sizeof(int32_t), OLD_MARK = 1000 };

static bool is_possible_rate(int32_t bits) {
    enum { LARGEST = 1000 };
    float value;
    memcpy(&value, &bits, sizeof value);
    return is_finite_value(value) && value >= 0 && value <= LARGEST;
}

/* Version 0.1.0 to 0.2.5 are in use; or the three rates of the oldest files. */
static bool is_possible_version(const int32_t *v) {
    enum { LARGEST = 99 };
    bool is_version = true, are_rates = v[0] > OLD_MARK || v[1] > OLD_MARK;
    for (int i = 0; i < 3; i++) {
        is_version = is_version && v[i] >= 0 && v[i] <= LARGEST;
        are_rates = are_rates && is_possible_rate(v[i]);
    }
    return is_version || are_rates;
}

/* As the host tells it. */
static bool has_long_seen(const int32_t *v) {
    return v[0] < OLD_MARK && v[1] < OLD_MARK && v[0] * 10 + v[1] >= 2;
}

/* Returns the header's bytes. */
static uint64_t check_header(const char *file, FILE *in, uint64_t size) {
    const uint64_t MOST_IMAGES = UINT64_C(1) << 48;
    int32_t version[3], short_seen = 0;
    uint64_t seen = 0;
    if (fread(version, sizeof version, 1, in) != 1)
        fail("%s: %" PRIu64 " bytes are fewer than the header of a file of weights has", file,
             size);
    if (!is_possible_version(version))
        fail("%s is not a file of weights: its header has version %d.%d.%d", file, version[0],
             version[1], version[2]);
    bool is_long = has_long_seen(version);
    if (fread(is_long ? (void *)&seen : &short_seen, is_long ? sizeof seen : sizeof short_seen, 1,
              in) != 1)
        fail("%s: %" PRIu64 " bytes are fewer than the header of a file of weights has", file,
             size);
    if (short_seen < 0 || seen > MOST_IMAGES)
        fail("%s: its header says %" PRId64 " images were seen; 0 to %" PRIu64 " is possible", file,
             is_long ? (int64_t)seen : short_seen, MOST_IMAGES);
    return VERSION_BYTES + (is_long ? sizeof seen : sizeof short_seen);
}

/* ---- the size ---- */

/* Keys by which the host would write beyond a layer's weights. */
static void check_keys(const network *net, const char *file, int start, int end) {
    for (int i = start; i < end; i++) {
        const layer *l = &net->layers[i];
        if ((l->type != CONVOLUTIONAL && l->type != DECONVOLUTIONAL) || l->dontload)
            continue;
        if (l->numload < 0 || l->numload > l->n)
            fail("%s: layer %d has %d filters, but numload=%d", file, i, l->n, l->numload);
        if (l->flipped && l->groups > 1)
            fail("%s: layer %d: flipped=1 and groups=%d exclude each other", file, i, l->groups);
    }
}

static uint64_t statistics_of(const layer *l, uint64_t outputs) {
    return l->batch_normalize && !l->dontloadscales ? 3 * outputs : 0;
}

static uint64_t convolution_floats(const layer *l) {
    uint64_t filters = (uint64_t)(l->numload ? l->numload : l->n);
    uint64_t channels = (uint64_t)(l->groups ? l->c / l->groups : l->c);
    return filters + statistics_of(l, filters) +
           channels * filters * (uint64_t)l->size * (uint64_t)l->size;
}

static uint64_t connected_floats(const layer *l) {
    uint64_t outputs = (uint64_t)l->outputs;
    return outputs + statistics_of(l, outputs) + outputs * (uint64_t)l->inputs;
}

static uint64_t local_floats(const layer *l) {
    uint64_t kernel = (uint64_t)l->size * (uint64_t)l->size * (uint64_t)l->c * (uint64_t)l->n;
    return (uint64_t)l->outputs + kernel * (uint64_t)l->out_w * (uint64_t)l->out_h;
}

static uint64_t floats_of(const layer *l) {
    const layer *parts[MOST_LAYER_PARTS];
    const char *names[MOST_LAYER_PARTS];
    uint64_t sum = 0;
    if (l->dontload)
        return 0;
    int count = list_layer_parts(l, parts, names);
    for (int i = 0; i < count; i++)
        sum += l->type == CRNN ? convolution_floats(parts[i]) : connected_floats(parts[i]);
    switch (l->type) {
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        return convolution_floats(l);
    case CONNECTED:
        return connected_floats(l);
    case BATCHNORM:
        return 4 * (uint64_t)l->c;
    case LOCAL:
        return local_floats(l);
    default:
        return sum;
    }
}

static uint64_t bytes_of_layers(const network *net, int start, int end) {
    uint64_t floats = 0;
    for (int i = start; i < end; i++)
        floats += floats_of(&net->layers[i]);
    return floats * sizeof(float);
}

/* The layer with the byte `at` behind the header, or of which the last byte is before it; -1 where
 * `at` is 0. *is_end says which. */
static int layer_at(const network *net, int start, int end, uint64_t at, bool *is_end) {
    uint64_t before = 0;
    *is_end = at == 0;
    for (int i = start; i < end && at; i++) {
        before += floats_of(&net->layers[i]) * sizeof(float);
        *is_end = before == at;
        if (before >= at)
            return i;
    }
    return -1;
}

static void refuse_size(const char *file, uint64_t size, uint64_t expected, const char *hint) {
    fail("%s has %" PRIu64 " bytes, but the weights of this network take %" PRIu64 "%s", file, size,
         expected, hint);
}

/* For a file that is too short: only a training goes on with part of the weights. */
static void take_part(const network *net, const char *file, int start, int end, uint64_t header,
                      uint64_t size, uint64_t expected) {
    bool is_end;
    int last = layer_at(net, start, end, size - header, &is_end);
    if (last < 0 || !is_end)
        refuse_size(file, size, expected, ": it is truncated, or another network's");
    if (!partial_is_allowed)
        refuse_size(file, size, expected,
                    ": it has those of the first layers only, which is enough for training alone");
    fprintf(stderr,
            "%s has %" PRIu64 " of %" PRIu64
            " bytes, the weights of layers up to %d; layers after it keep their initial weights\n",
            file, size, expected, last);
}

/* ---- the values ---- */

static void check_values(const network *net, const char *file, FILE *in, int start, int end) {
    enum { AT_ONCE = 1 << 14 };
    float *values = allocate(AT_ONCE, sizeof *values);
    uint64_t left = bytes_of_layers(net, start, end) / sizeof *values, done = 0;
    while (left) {
        size_t got = fread(values, sizeof *values, left < AT_ONCE ? left : AT_ONCE, in);
        size_t bad = first_not_finite(values, got);
        if (bad < got) {
            bool is_end;
            int i = layer_at(net, start, end, (done + bad + 1) * sizeof *values, &is_end);
            fail("%s: value %" PRIu64 ", of layer %d, a [%s], is %s", file, done + bad, i,
                 get_layer_string(net->layers[i].type), kind_of_value(values[bad]));
        }
        if (got == 0)
            break;
        left -= got;
        done += got;
    }
    free(values);
    if (ferror(in))
        fail("cannot read %s: %s", file, strerror(errno));
}

void check_weights_file(const network *net, const char *file, FILE *open_file, int start,
                        int cutoff) {
    struct stat facts;
    if (fstat(fileno(open_file), &facts))
        fail("cannot read %s: %s", file, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        fail("%s is not a regular file, of which weights are read", file);
    int end = cutoff < net->n ? cutoff : net->n;
    uint64_t size = (uint64_t)facts.st_size, header = check_header(file, open_file, size);
    check_keys(net, file, start, end);
    uint64_t expected = header + bytes_of_layers(net, start, end);
    if (size > expected && start == 0 && end == net->n)
        refuse_size(file, size, expected, ": it is another network's");
    if (size < expected)
        take_part(net, file, start, end, header, size, expected);
    check_values(net, file, open_file, start, end);
    rewind(open_file);
}
