/* Whether a network is still what it was, as far as its kernels and what they are given depend on
 * it: the places of all arrays, batch, sizes, cuDNN's algorithms. */
#ifndef NETWORK_FORM_H
#define NETWORK_FORM_H

#include "darknet.h"

#include <stdbool.h>

typedef struct network_form network_form;

/* Of no network yet. The caller releases it with network_form_free. */
network_form *network_form_create(void);

/* Accepts NULL. */
void network_form_free(network_form *form);

/* Whether `net` is another network than at the last call, or differs from it; true at the first
 * call. Notes what it is now. */
bool network_form_changes(network_form *form, const network *net);

#endif
