/* cuRAND. */
#include "curand.h"
#include "emulation.h"

#include <stdint.h>
#include <stdlib.h>

struct emulated_generator {
    uint64_t state;
};

curandStatus_t curandCreateGenerator(curandGenerator_t *generator, curandRngType_t type) {
    (void)type;
    *generator = zeroed(sizeof **generator);
    return CURAND_STATUS_SUCCESS;
}

curandStatus_t curandSetPseudoRandomGeneratorSeed(curandGenerator_t generator,
                                                  unsigned long long seed) {
    generator->state = seed;
    return CURAND_STATUS_SUCCESS;
}

typedef struct {
    curandGenerator_t generator;
    float *to;
    size_t count;
} draw;

/* Above 0 and up to 1. */
static void run_draw(void *arguments) {
    const draw *d = arguments;
    for (size_t i = 0; i < d->count; i++) {
        uint64_t *state = &d->generator->state;
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        d->to[i] = (float)((*state >> 40) + 1) * 0x1p-24f;
    }
}

curandStatus_t curandGenerateUniform(curandGenerator_t generator, float *to, size_t count) {
    draw *d = zeroed(sizeof *d);
    *d = (draw){generator, to, count};
    enter();
    count_call(LIBRARY_CALLS);
    cudaError_t status = put_work(NULL, (work){run_draw, NULL, d});
    return leave(status) == cudaSuccess ? CURAND_STATUS_SUCCESS : CURAND_STATUS_LAUNCH_FAILURE;
}
