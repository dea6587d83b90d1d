/* Runs gnuplot, without a shell in between. */
#ifndef DLB_RUN_GNUPLOT_H
#define DLB_RUN_GNUPLOT_H

typedef enum {
    GNUPLOT_DONE,
    GNUPLOT_MISSING, /* no such program in PATH */
    GNUPLOT_FAILED   /* it said why on standard error */
} gnuplot_outcome;

/* Runs `script`, a file in `folder`, with that as working directory, after the gnuplot commands in
 * `settings`. Start-up files of the user's are not read. */
gnuplot_outcome run_gnuplot(const char *folder, const char *settings, const char *script);

#endif
