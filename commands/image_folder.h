/* Image files in one folder a class: SRC/train/CLASS/FILE and SRC/val/CLASS/FILE. */
#ifndef DLB_IMAGE_FOLDER_H
#define DLB_IMAGE_FOLDER_H

#include "data_set.h"

/* Reads the names in the folder `src`, or the images in an archive of one; what lies beside train/
 * and val/, and names that begin with a dot, are left out. Classes are the folders of train/,
 * sorted by name. Ends the program through fail() where train/ and val/ do not hold the same
 * classes, a file is not just below its class or is no image by its name, or is empty. Free with
 * free_data_set(). */
data_set read_image_folder(const char *src);

#endif
