/* `darknet dlb compare DATA CFG [CFG...]`: trains every arm with every seed, then reports. */
#ifndef DLB_COMPARE_H
#define DLB_COMPARE_H

/* The command; argv[3] is the data file, then the cfgs, with options anywhere (see the README).
 *
 * Sets the comparison's folder up (comparison_plan.h), checks every arm, trains what has not
 * finished, one run after the other, and writes the report. The same command goes on after it was
 * stopped. With -plan it prints a shell command for each run that has not finished instead. Ends
 * the program through fail() where the arguments do not allow a comparison, and, after all else
 * is done, where a run has failed. */
void run_compare(int argc, char **argv);

#endif
