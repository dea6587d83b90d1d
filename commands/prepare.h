/* `darknet dlb prepare DATASET [SRC] OUT [options]`: turns what a data set's owner ships into what
 * `darknet classifier train` reads.
 *
 *     fashion-mnist   SRC is the folder of the IDX files (default: where Debian's package puts
 * them) cifar10         SRC is the binary version: .tar.gz or unpacked folder cifar100 tinyimagenet
 * SRC is the .zip or the unpacked folder folder          SRC holds train/CLASS/FILE and
 * val/CLASS/FILE
 *
 *     OUT/made_from.txt         which source files and options; written first
 *     OUT/train/LABEL/00001.png one folder a class; the number is the place in the source, from 1
 *     OUT/valid/LABEL/00001.png
 *     OUT/train.list            one absolute path a line, in the source's order
 *     OUT/train_clean.list      with -noise: train.list as it would be without
 *     OUT/valid.list
 *     OUT/labels.list           one label a line: c0_tshirt, c1_trouser, ...
 *     OUT/names.list            the names for people, in the same order
 *     OUT/backup/               empty; for the weights
 *     OUT/DATASET.data          what to hand to Darknet; written last
 *
 * Images that are files of an archive already (tinyimagenet, folder) are written byte for byte.
 * Those that lie in a folder are not copied: the lists name them where they are, with the label in
 * a second column after a tab.
 *
 *     -subset N         only N images of the training list, balanced over the classes (subset.h)
 *     -subset_seed S    which ones; default 1
 *     -noise P          wrong labels for the share P of the training list (label_noise.h), in
 *                       train.list's second column; 0 is the same as no noise
 *     -noise_seed S     which ones; default 1
 *
 * Noise is added to what the subset leaves. The list for validation is never touched. Both are the
 * same on every machine.
 *
 * Every image and every text file appears under its name only when it is whole, so a run that was
 * stopped can be started again and writes only what is missing. */
#ifndef DLB_PREPARE_H
#define DLB_PREPARE_H

/* Runs the command: argv[3] and on are the data set, SRC, OUT, which is made where it does not
 * exist, and the options in any order. argv[0..2] are not looked at.
 *
 * Prints the share of changed labels, where there is noise, and one closing line to standard
 * output, and progress to standard error where that is a terminal. Ends the program through fail()
 * where the arguments, the source files (all read and checked before the first output is written,
 * but for images in a folder, of which only names and sizes are) or OUT's path (Darknet could not
 * tell its labels from it) are no good, where OUT holds files that this run would not have written
 * (nothing is overwritten; other options count as well), or where writing fails. */
void run_prepare(int argc, char **argv);

#endif
