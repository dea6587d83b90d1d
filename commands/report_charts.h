/* The charts of a comparison, drawn by gnuplot. */
#ifndef DLB_REPORT_CHARTS_H
#define DLB_REPORT_CHARTS_H

#include "comparison_results.h"

typedef enum {
    CHARTS_DRAWN,
    CHARTS_NOTHING_FINISHED, /* no run to draw */
    CHARTS_NO_GNUPLOT,       /* gnuplot is not installed: scripts and data are written all the same
                              */
    CHARTS_FAILED            /* gnuplot said why on standard error */
} charts_outcome;

#define CHARTS_FOLDER "charts"
#define ERROR_CHART "validation_error"
#define LOSS_CHART "training_loss"

/* Writes into FOLDER/charts for each of the two charts NAME.dat (the numbers), NAME.gp (gnuplot's
 * script), NAME.png and NAME.svg. Old pictures that it does not replace are removed. Fails where a
 * file cannot be written. */
charts_outcome draw_charts(const char *folder, const comparison_results *results);

#endif
