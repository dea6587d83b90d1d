#include "train_rows.h"

#include "device_input.h"
#include "network_device.h"
#include "pinned_floats.h"
#include "recipe.h"

void prepare_training_rows(training *t) {
    batch_memory memory = {make_pinned_floats, free_pinned_floats};
    if (recipe_keys(t->net).augment_on_gpu && is_on_gpu(t->net))
        draw_image_rows(&t->rows, t->net->subdivisions, memory);
}

float *training_inputs(const training *t, const loaded_batch *batch, size_t row) {
    return batch->inputs + row * (size_t)row_inputs_of(&t->rows);
}

float *training_truths(const training *t, const loaded_batch *batch, size_t row) {
    return batch->truths + row * (size_t)t->net->truths;
}

void send_training_rows(training *t, const loaded_batch *batch, int slot) {
    network *net = t->net;
    size_t row = (size_t)slot * (size_t)net->batch;
    const float *truths = training_truths(t, batch, row);
    if (t->rows.drawn) {
        render_settings settings = render_settings_of(&t->rows);
        drawn_block block = drawn_rows_block(t->rows.drawn, batch, &settings, slot);
        send_drawn_input(net, &block, truths);
    } else {
        send_device_input(net, training_inputs(t, batch, row), truths);
    }
}

void send_rows_after(training *t, const loaded_batch *batch, int slot) {
    bool is_last = slot + 1 == t->net->subdivisions;
    if (is_last)
        batch = overlap_loader_ready(t->loader);
    if (batch)
        send_training_rows(t, batch, is_last ? 0 : slot + 1);
}
