#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "comparison_results.h"
#include "fail.h"
#include "report_charts.h"
#include "report_text.h"
#include "results_csv.h"

static const char usage[] = "usage: darknet dlb report RUNS_FOLDER";

static void say_what_is_there(const char *folder, const comparison_results *results) {
    printf("%s/report.md: %zu of %zu runs finished\n", folder, results->finished,
           results->about.arm_count * results->about.seed_count);
    if (fflush(stdout) != 0)
        fail("cannot write to standard output: %s", strerror(errno));
}

void write_report(const char *folder) {
    comparison_results results = read_comparison_results(folder);
    int lock = lock_comparison(folder);
    write_results_csv(folder, &results);
    charts_outcome charts = draw_charts(folder, &results);
    write_report_text(folder, &results, charts);
    close(lock);
    say_what_is_there(folder, &results);
    if (charts == CHARTS_NO_GNUPLOT)
        fprintf(stderr, "no charts: they need gnuplot, which is not installed (Debian, Ubuntu: "
                        "gnuplot-nox)\n");
    if (charts == CHARTS_FAILED)
        fail("gnuplot could not draw the charts of %s; the rest of the report is written", folder);
    free_comparison_results(&results);
}

void run_report(int argc, char **argv) {
    if (argc != 4)
        fail("%s", usage);
    if (argv[3][0] == '-')
        fail("unknown option \"%s\"; %s", argv[3], usage);
    write_report(argv[3]);
}
