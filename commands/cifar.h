/* CIFAR-10 and CIFAR-100, the binary versions (https://www.cs.toronto.edu/~kriz/cifar.html).
 *
 * A file is records without a header: one label byte (CIFAR-100: the coarse label, which is not
 * used, then the fine one), then 32x32 red, green and blue bytes, a plane each, row by row. The
 * class names are in a text file, one a line. */
#ifndef DLB_CIFAR_H
#define DLB_CIFAR_H

#include "data_set.h"

/* Both read `src`, which is the owner's cifar-*-binary.tar.gz, the unpacked folder, or the folder
 * above that. Wanted are data_batch_1.bin .. data_batch_5.bin, test_batch.bin and batches.meta.txt,
 * or train.bin, test.bin and fine_label_names.txt. End the program through fail() where one is
 * missing or there twice, is not a whole number of records, holds a label out of range or the
 * wrong number of names, or where the files do not have the owner's proportion, five images for
 * training to one for validation. Free with free_data_set(). */
data_set read_cifar10(const char *src);
data_set read_cifar100(const char *src);

#endif
