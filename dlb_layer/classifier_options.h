/* The options that `darknet classifier train`, `valid` and `predict` know besides the host's. */
#ifndef CLASSIFIER_OPTIONS_H
#define CLASSIFIER_OPTIONS_H

#include "train_saving.h"

#include <stdbool.h>

typedef enum {
    START_ANEW,
    RESUME,             /* from the checkpoint, exactly, where there is one */
    RESUME_FROM_WEIGHTS /* of the checkpoint, and nothing else of it */
} resume_kind;

typedef struct {
    /* all three */
    int threads; /* that load images */
    /* train and valid */
    bool stock_loader; /* the host's own code for the command */
    bool skip_bad;     /* leave unreadable images out */
    /* train */
    unsigned seed;
    bool has_seed;         /* otherwise a seed is drawn and printed */
    int valid_every;       /* epochs from one validation to the next; 0: never */
    bool has_valid_every;  /* it was asked for */
    int patience;          /* validations without a new best that end the run; 0: none do */
    bool check;            /* stop before the first iteration, with nothing written */
    int save_every;        /* epochs from one numbered weights file to the next; 0: none */
    bool drops_not_finite; /* -on_nan=skip: drop an update that is not finite instead of stopping */
    resume_kind resume;
    checkpoint_interval checkpoint_every;
    int rank_timeout; /* seconds that a rank waits for the others, see ranks.h */
    char *backup;     /* the folder to write into; NULL: the one that the data file names */
    /* predict */
    char *list; /* a file of paths, "-" for standard input; NULL without */
} classifier_options;

/* Takes the options of the command in argv[2] out of the command line, as find_arg() does. The
 * options of `train`, `valid` and `predict` that neither they nor the host know end the program,
 * as do values that are not numbers in range, and options that exclude each other. Strings belong
 * to argv. */
classifier_options parse_classifier_options(int argc, char **argv);

#endif
