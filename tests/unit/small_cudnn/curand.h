/* What small_cudnn's headers need of cuRAND's. */
#ifndef SMALL_CURAND_H
#define SMALL_CURAND_H

typedef int curandStatus_t;

#endif
