#include "compute_threads.h"

#ifdef OPENBLAS
#include <cblas.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

int count_compute_threads(void) {
#if defined(_OPENMP)
    return omp_get_max_threads();
#elif defined(OPENBLAS)
    return openblas_get_num_threads();
#else
    return 1;
#endif
}

void fix_matrix_threads(void) {
#if defined(_OPENMP) && defined(OPENBLAS)
    openblas_set_num_threads(omp_get_max_threads());
#endif
}
