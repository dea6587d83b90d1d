#include "sgd_step.h"

void sgd_step(int count, float rate, float decay, float momentum, float *weights, float *updates) {
#pragma omp parallel for simd schedule(static) if (count > 1 << 15)
    for (int i = 0; i < count; i++) {
        float update = updates[i] - decay * weights[i];
        weights[i] += rate * update;
        updates[i] = momentum * update;
    }
}
