#define _DEFAULT_SOURCE /* initstate */

#include "host_random.h"

#include "fail.h"

#include <stdlib.h>
#include <string.h>

/* In use from seed_host_random() on. The union aligns it as the C library needs it. */
static union {
    int words[HOST_RANDOM_BYTES / sizeof(int)];
    char bytes[HOST_RANDOM_BYTES];
} current, other;

void seed_host_random(unsigned seed) {
    initstate(seed, current.bytes, sizeof current.bytes);
}

host_random host_random_now(void) {
    host_random state;
    setstate(current.bytes); /* leaves its position in the bytes */
    memcpy(state.bytes, current.bytes, sizeof state.bytes);
    return state;
}

void set_host_random(const host_random *state) {
    /* Whatever is in use has its position written into it first. */
    initstate(0, other.bytes, sizeof other.bytes);
    memcpy(current.bytes, state->bytes, sizeof current.bytes);
    if (!setstate(current.bytes))
        fail("the state of the random numbers is not one of this C library's");
}
