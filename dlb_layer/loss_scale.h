/* The scale of the deltas that float16 convolutions get (half=1 of [net]): their small ones would
 * be 0 without, and a scale that is too large makes some infinite. It follows the gradients: halved
 * where one is not finite, whose update is left out, and doubled after many good updates
 * (Micikevicius et al., "Mixed Precision Training", ICLR 2018). Always a power of two, so that
 * scaling rounds nothing.
 *
 * The deltas between the layers are float32 and need no scale. So it is applied where they are
 * rounded to 16 bits, and taken off where they come back, not applied to the loss: what float16
 * holds is the same, and momentum, other layers' gradients and losses never have it in them. For C
 * and for CUDA. */
#ifndef LOSS_SCALE_H
#define LOSS_SCALE_H

#include "half_float.h"

typedef struct {
    float scale;
    int good;    /* updates since it changed */
    int dropped; /* updates in all */
    int spoiled; /* of the layers with a gradient of this iteration that is not finite, the last
                    one's number + 1; 0: none */
    int spoiled_before; /* of the last update that was dropped */
} loss_scale;

enum {
    LOSS_SCALE_GROWS_AFTER = 2000, /* good updates */
    LOSS_SCALE_OF_MEANS = 1 << 16, /* at first, for a loss that is a mean */
    MOST_LOSS_SCALE = 1 << 24
};

/* Darknet's deltas are those of the sum over the rows. */
DLB_FUNCTION loss_scale first_loss_scale(int rows) {
    loss_scale s = {1, 0, 0, 0, 0};
    while (s.scale * 2 * (float)rows <= LOSS_SCALE_OF_MEANS)
        s.scale *= 2;
    return s;
}

/* After the update of an iteration, or in its place. */
DLB_FUNCTION void step_loss_scale(loss_scale *s) {
    s->good = s->spoiled ? 0 : s->good + 1;
    if (s->spoiled) {
        s->dropped++;
        s->spoiled_before = s->spoiled;
        s->scale /= 2;
    } else if (s->good == LOSS_SCALE_GROWS_AFTER) {
        s->good = 0;
        if (s->scale < MOST_LOSS_SCALE)
            s->scale *= 2;
    }
    s->spoiled = 0;
}

/* Whether gradients do not fit even unscaled: nothing is left to halve. */
DLB_FUNCTION int loss_scale_is_exhausted(const loss_scale *s) {
    return s->scale < 1;
}

#endif
