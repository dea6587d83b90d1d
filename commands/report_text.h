/* report.md: what a comparison found, for people. */
#ifndef DLB_REPORT_TEXT_H
#define DLB_REPORT_TEXT_H

#include "comparison_results.h"
#include "report_charts.h"

/* Writes FOLDER/report.md. Fails where it cannot be written. */
void write_report_text(const char *folder, const comparison_results *results,
                       charts_outcome charts);

#endif
