/* How many threads compute a network's passes. */
#ifndef COMPUTE_THREADS_H
#define COMPUTE_THREADS_H

/* Those of OpenMP, which oneDNN and our own loops take; in a build without it those of OpenBLAS, or
 * 1. */
int count_compute_threads(void);

/* From here on OpenBLAS takes as many as OpenMP. By itself it takes no more than there are
 * processors that the process may use, which a launcher may have made fewer; and its sums depend on
 * them. */
void fix_matrix_threads(void);

#endif
