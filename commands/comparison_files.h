/* The files of a comparison, shared by the command that writes them and the one that reads them:
 *
 *     FOLDER/comparison.txt             what is compared, key=value
 *     FOLDER/.lock                      for one process at a time
 *     FOLDER/arms.csv                   a row for each arm, in the order to be shown
 *     FOLDER/ARM/seed-N/ARM.log.csv     the log of the training; ARM only up to its first dot here,
 *                                       as the training names its files after the cfg
 *     FOLDER/ARM/seed-N/finished.txt    key=value; written last, so its presence means done
 *     FOLDER/ARM/seed-N/failed.txt      in its place where the training failed
 *
 * Reading is strict: a file that cannot be read, a key or column that is missing or unknown, a
 * value out of range or a line that is cut ends the program through fail() with a sentence that
 * names the file. */
#ifndef DLB_COMPARISON_FILES_H
#define DLB_COMPARISON_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARMS_HEADER "arm,role,parent,batch,subdivisions,max_batches,cfg"

typedef enum {
    EQUAL_IMAGES,    /* every arm processes the same number of images */
    EQUAL_UPDATES_2N /* the baseline's batch is the new half only */
} comparison_protocol;

typedef enum {
    BASELINE_ARM, /* the first cfg; exactly one */
    OTHER_ARM,    /* any other cfg given */
    CONTROL_ARM   /* the DLB cfg of `parent` with alpha=0 */
} arm_role;

/* Strings are owned. */
typedef struct {
    char *name; /* of its folder too: not empty, "." or "..", and without a slash */
    arm_role role;
    size_t parent; /* a control's: index of the arm whose alpha is set to 0 */
    uint64_t batch, subdivisions, max_batches;
    char *cfg; /* relative to the folder */
} comparison_arm;

typedef struct {
    char *version, *command, *data, *build;
    comparison_protocol protocol;
    uint64_t topk, train_images, valid_images;
    uint64_t valid_every; /* epochs */
    uint64_t lists_crc32; /* of the lines of both lists */
    size_t seed_count, arm_count;
    uint64_t *seeds;      /* (seed_count), each different */
    comparison_arm *arms; /* (arm_count) */
    size_t baseline;      /* index of an arm */
} comparison;

typedef enum { RUN_MISSING, RUN_FAILED, RUN_FINISHED } run_state;

/* What finished.txt or failed.txt says; all empty for a run that has neither. Strings are owned. */
typedef struct {
    run_state state;
    char *command, *started;
    char *error; /* NULL unless failed */
    uint64_t status, threads, peak_memory_kib;
    double seconds; /* of all processes that have worked on the run */
} run_record;

/* Words as the files spell them. */
const char *protocol_name(comparison_protocol protocol);
const char *role_name(arm_role role);

/* Paths; the caller frees them. */
char *comparison_path(const char *folder);
char *arms_path(const char *folder);
char *run_folder(const char *folder, const char *arm, uint64_t seed);
char *run_log_path(const char *folder, const char *arm, uint64_t seed);
char *finished_path(const char *folder, const char *arm, uint64_t seed);
char *failed_path(const char *folder, const char *arm, uint64_t seed);

/* Which of the two files is there; finished.txt counts where both are. */
run_state find_run_state(const char *folder, const char *arm, uint64_t seed);

/* Whether comparison.txt is there. */
bool is_comparison(const char *folder);

/* The file that lock_comparison() makes first of all in the folder of a comparison. */
char *comparison_lock_path(const char *folder);

/* Keeps other processes from writing the comparison's own files until the descriptor that it
 * returns is closed. Runs have locks of their own. Fails where another process has the lock for a
 * minute. */
int lock_comparison(const char *folder);

/* Writes arms.csv, then comparison.txt, each at once. Fails where that cannot be done. */
void write_comparison(const char *folder, const comparison *about);

/* Reads comparison.txt and arms.csv. Release it with free_comparison(). */
comparison read_comparison(const char *folder);
void free_comparison(comparison *about);

/* Writes finished.txt, or failed.txt where the status is not 0. The error is one line. */
void write_run_record(const char *folder, const char *arm, uint64_t seed, const run_record *record);

/* Reads finished.txt or failed.txt, whichever is there. Release it with free_run_record(). */
run_record read_run_record(const char *folder, const char *arm, uint64_t seed);
void free_run_record(run_record *record);

#endif
