#include "network_form.h"

#include "fail.h"
#include "whole_network_gpu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FACTS = 11 };

struct network_form {
    uintptr_t facts[FACTS];
    layer *layers; /* (layer_count), as bytes; what they point to is the network's */
    size_t layer_count;
};

/* net->input and net->truth are others for each micro-batch, and copied before it. */
static void list_facts(const network *net, uintptr_t *facts) {
    const uintptr_t now[FACTS] = {
        (uintptr_t)net,
        (uintptr_t)net->n,
        (uintptr_t)net->batch,
        (uintptr_t)net->inputs,
        (uintptr_t)net->truths,
        (uintptr_t)net->workspace,
        (uintptr_t)net->losses,
#ifdef GPU
        (uintptr_t)net->strict_float32,
        (uintptr_t)net->input_gpu,
        (uintptr_t)net->truth_gpu,
        (uintptr_t)delta_lists_made(net),
#endif
    };
    memcpy(facts, now, sizeof now);
}

network_form *network_form_create(void) {
    return allocate(1, sizeof(network_form));
}

void network_form_free(network_form *form) {
    if (!form)
        return;
    free(form->layers);
    free(form);
}

static void note_layers(network_form *form, const network *net) {
    size_t count = (size_t)net->n;
    if (form->layer_count != count) {
        free(form->layers);
        form->layers = allocate(count, sizeof *form->layers);
        form->layer_count = count;
    }
    memcpy(form->layers, net->layers, count * sizeof *form->layers);
}

bool network_form_changes(network_form *form, const network *net) {
    uintptr_t facts[FACTS];
    list_facts(net, facts);
    if (form->layers && !memcmp(facts, form->facts, sizeof facts) &&
        !memcmp(form->layers, net->layers, (size_t)net->n * sizeof *form->layers))
        return false;
    memcpy(form->facts, facts, sizeof facts);
    note_layers(form, net);
    return true;
}
