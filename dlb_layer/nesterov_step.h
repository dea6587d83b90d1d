/* Nesterov's step of one parameter, for C and for CUDA. */
#ifndef NESTEROV_STEP_H
#define NESTEROV_STEP_H

#include "dlb_loss.h" /* DLB_FUNCTION */

/* What nesterov.h derives: adds rate times the growth of `update`, and notes it. */
DLB_FUNCTION void look_ahead_of(float *value, float *before, float update, float rate) {
    *value += rate * (update - *before);
    *before = update;
}

#endif
