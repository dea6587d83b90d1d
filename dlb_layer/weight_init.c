#include "weight_init.h"

#include "cfg_value.h"
#include "fail.h"

#include <math.h>
#include <string.h>

#ifdef GPU
/* The host's own headers are not written for -Wextra. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "connected_layer.h"
#include "convolutional_layer.h"
#pragma GCC diagnostic pop
#endif

static void draw_normal(float *weights, int count, float deviation) {
    for (int i = 0; i < count; i++)
        weights[i] = deviation * rand_normal();
}

void init_convolutional(const char *cfg_file, list *options, layer *l) {
    const char *init = cfg_text_value(cfg_file, "[convolutional]", options, "init");
    if (!init)
        return;
    if (strcmp(init, "he_fan_out"))
        fail("%s: [convolutional] init=%s is unknown; it knows he_fan_out", cfg_file, init);
    float fan_out = (float)(l->size * l->size) * (float)l->n / (float)l->groups;
    draw_normal(l->weights, l->nweights, sqrtf(2 / fan_out));
#ifdef GPU
    if (gpu_index >= 0)
        push_convolutional_layer(*l);
#endif
}

void init_connected(const char *cfg_file, list *options, layer *l) {
    float deviation = cfg_positive_value(cfg_file, "[connected]", options, "init_std", 0);
    if (deviation == 0)
        return;
    draw_normal(l->weights, l->inputs * l->outputs, deviation);
#ifdef GPU
    if (gpu_index >= 0)
        push_connected_layer(*l);
#endif
}
