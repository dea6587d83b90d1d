/* results.csv: a row for each validation of each finished run. */
#ifndef DLB_RESULTS_CSV_H
#define DLB_RESULTS_CSV_H

#include "comparison_results.h"

/* Writes FOLDER/results.csv: rows by arm, then seed, then iteration. It holds no times, so the same
 * trainings give the same bytes. Fails where it cannot be written. */
void write_results_csv(const char *folder, const comparison_results *results);

#endif
