/* How much memory this process can have at most. */
#ifndef MEMORY_LIMIT_H
#define MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes: the machine's memory, or less where the control group (v2 or v1) or `ulimit` (-v, -d, -m)
 * allows less. */
uint64_t memory_limit(void);

#endif
