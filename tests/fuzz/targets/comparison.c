#include "comparison_results.h"
#include "fuzz_target.h"
#include "results_csv.h"
#include "report_charts.h"
#include "report_text.h"
#include "run_files.h"

#include <stdlib.h>

/* The input is the files of a comparison's folder, which `report` reads. */
FUZZ_TARGET(comparison,
            "commands/comparison_files.c commands/comparison_results.c commands/key_values.c "
            "commands/csv_table.c commands/run_log.c commands/report_text.c commands/results_csv.c "
            "commands/display_text.c commands/statistics.c") {
    char *folder = folder_of(data, size);
    comparison_results results = read_comparison_results(folder);
    write_results_csv(folder, &results);
    write_report_text(folder, &results, CHARTS_NO_GNUPLOT);
    free_comparison_results(&results);
    free(folder);
}
