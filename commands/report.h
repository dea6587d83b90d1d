/* `darknet dlb report FOLDER`: results.csv, report.md and charts from whatever runs of a comparison
 * are there. */
#ifndef DLB_REPORT_H
#define DLB_REPORT_H

/* The command; argv[3] is the folder. Wrong arguments end the program through fail(). */
void run_report(int argc, char **argv);

/* Writes them into the folder of a comparison (its files: comparison_files.h), over those that are
 * there, and says on standard output where. Without gnuplot there are no charts, which it says on
 * standard error. A file of the comparison that is missing or malformed, or one that cannot be
 * written, ends the program through fail(); so does gnuplot if it fails, after everything else has
 * been written. */
void write_report(const char *folder);

#endif
