/* Tiny ImageNet, tiny-imagenet-200.zip as its owners ship it, or unpacked.
 *
 *     wnids.txt                    one WordNet id a line; their order is the classes' order
 *     words.txt                    id, tab, name; of more ids than there are classes
 *     train/ID/images/FILE.JPEG
 *     val/images/FILE.JPEG
 *     val/val_annotations.txt      file, tab, id, and four numbers that are not used */
#ifndef DLB_TINY_IMAGENET_H
#define DLB_TINY_IMAGENET_H

#include "data_set.h"

/* Reads `src`: the archive, the unpacked folder, or the folder above that. A label holds the first
 * of the names that words.txt gives. The images of test/ have no labels and are left out. Ends the
 * program through fail() where one of the text files is missing, an id is not in wnids.txt or has
 * no name, the classes do not all have as many images for training, an image for validation has no
 * annotation or an annotation no image. Free with free_data_set(). */
data_set read_tiny_imagenet(const char *src);

#endif
