/* `darknet dlb prepare DATASET [SRC] OUT`: turns a data set's own files into what
 * `darknet classifier train` reads.
 *
 *     OUT/made_from.txt         which source files; written first
 *     OUT/train/LABEL/00001.png one folder a class; the number is the place in the source, from 1
 *     OUT/valid/LABEL/00001.png
 *     OUT/train.list            one absolute path a line, in the source's order
 *     OUT/valid.list
 *     OUT/labels.list           one label a line, as in the paths: c0_tshirt, c1_trouser, ...
 *     OUT/names.list            the names for people, in the same order
 *     OUT/backup/               empty; for the weights
 *     OUT/DATASET.data          what to hand to Darknet; written last
 *
 * Every image and every text file appears under its name only when it is whole, so a run that was
 * stopped can be started again and writes only what is missing. */
#ifndef DLB_PREPARE_H
#define DLB_PREPARE_H

/* Runs the command: argv[3] is the data set (fashion-mnist), then SRC, which defaults to where
 * Debian's package puts the files, and OUT, which is made where it does not exist. argv[0..2] are
 * not looked at.
 *
 * Prints one closing line to standard output, and progress to standard error where that is a
 * terminal. Ends the program through fail() where the arguments, the source files (all read and
 * checked before the first output is written) or OUT's path (Darknet could not tell its labels
 * from it) are no good, where OUT holds files that this run would not have written (nothing is
 * overwritten), or where writing fails. */
void run_prepare(int argc, char **argv);

#endif
