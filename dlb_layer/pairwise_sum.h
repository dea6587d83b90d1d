/* Sums of arrays in an order that depends on the number of terms alone: ((0 + 1) + (2 + 3)) + ...
 *
 * Whoever has an aligned part of the terms, 0 and 1, or 2 and 3, has a part of the same tree, so
 * the bits of the sum do not depend on how the terms are spread. Sums that are not needed any more
 * are not kept: there are at most log2(terms) arrays. Nothing here knows of ranks. */
#ifndef PAIRWISE_SUM_H
#define PAIRWISE_SUM_H

#include <stddef.h>

typedef struct pairwise_sum pairwise_sum;

/* For `terms`, a power of two, of `floats` values each. The caller frees it. */
pairwise_sum *pairwise_sum_create(int terms, size_t floats);

/* Accepts NULL. */
void pairwise_sum_free(pairwise_sum *sum);

/* Takes `count` values of term `term`, which belong at `at` of all floats, and adds to them, in
 * place, what they can be added to. After the last term they are the sum; those of other terms are
 * kept, and the caller's own are of no more use. The terms of a place come in their order. */
void pairwise_sum_add(pairwise_sum *sum, int term, size_t at, float *values, size_t count);

/* The same of terms that are all there: terms[0], (count), becomes the sum of the `terms` arrays
 * that follow each other there; the others are of no more use. */
void add_pairwise(float *values, int terms, size_t count);

#endif
