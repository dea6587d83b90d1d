/* What `darknet dlb compare` is going to train, worked out from its arguments and kept in the
 * comparison's folder. */
#ifndef DLB_COMPARISON_PLAN_H
#define DLB_COMPARISON_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "cfg_text.h"
#include "comparison_files.h"

/* What the command line asks for; strings belong to it. */
typedef struct {
    const char *data_file;
    char *const *cfg_files; /* (cfg_count), at least 1 */
    size_t cfg_count;
    comparison_protocol protocol;
    bool no_control;
    uint64_t valid_every;            /* epochs */
    const char *alpha, *temperature; /* of the DLB twin that is made; NULL: the defaults */
    const char *command;             /* as typed */
    const char *seeds;               /* a number of them, or a list with commas */
} comparison_request;

typedef struct {
    comparison about;
    cfg_text *cfgs; /* (about.arm_count), of each arm */
} comparison_plan;

/* The arms in this order: each cfg as given, followed by its control. A single cfg without
 * [dlb_cost] gets a twin with the section, a single one with it a twin without, which then comes
 * first and is the baseline. Batches are those of the protocol. Fails where the data file, a cfg or
 * the list of seeds does not allow a comparison. Release it with free_comparison_plan(). */
comparison_plan make_comparison_plan(const comparison_request *request);
void free_comparison_plan(comparison_plan *plan);

/* Whether the arms whose cfgs are in `folder` can be trained: NULL, or a fresh sentence that says
 * why not. */
typedef char *arms_check(const char *folder, const comparison *about);

/* Writes the plan into `folder`, which is new, empty, or one where this was stopped: the cfgs, and
 * comparison.txt last, once `check`, unless NULL, finds that the arms can be trained. So a cfg that
 * was refused can be put right and tried again. Where the folder holds a comparison already, it
 * must be the same but for the seeds and the way it was typed, which become those of the plan;
 * anything else that differs ends the program with both values, as does a folder that holds
 * something else. Other processes wait meanwhile. */
void keep_comparison_plan(const char *folder, const comparison_plan *plan, arms_check *check);

#endif
