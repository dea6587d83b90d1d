/* The loader's rows on their way into the network. */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H

#include "training.h"

/* Before the loader starts: with augment_on_gpu=1 and a network on a GPU, rows are rendered there.
 * free_drawn_rows(&t->rows) after the loader's end. */
void prepare_training_rows(training *t);

/* Where the loader wrote row `row` of the batch. */
float *training_inputs(const training *t, const loaded_batch *batch, size_t row);
float *training_truths(const training *t, const loaded_batch *batch, size_t row);

/* Starts the copy of micro-batch `slot` to a GPU, unless it was sent ahead; nothing on the CPU. */
void send_training_rows(training *t, const loaded_batch *batch, int slot);

/* A GPU, which has one shard, gets rows while it computes micro-batch `slot`: the next one's, after
 * the last one those of the next iteration, if the loader has them already. */
void send_rows_after(training *t, const loaded_batch *batch, int slot);

#endif
