/* Memory of the host that a GPU reads by itself, without a copy in between. */
#ifndef PINNED_FLOATS_H
#define PINNED_FLOATS_H

#include <stddef.h>

/* (count) zeros; with gpu_index < 0, in a build without CUDA, or where CUDA refuses, which is said
 * once, ordinary memory. Ends the program where there is none. free_pinned_floats() releases it. */
float *make_pinned_floats(size_t count);

/* Accepts NULL. */
void free_pinned_floats(float *floats);

#endif
