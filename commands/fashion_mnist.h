/* Fashion-MNIST: four IDX files (idx_file.h) of 28x28 gray images in 10 classes. */
#ifndef DLB_FASHION_MNIST_H
#define DLB_FASHION_MNIST_H

#include "data_set.h"

/* Reads and checks {train,t10k}-{images-idx3,labels-idx1}-ubyte, each plain or as .gz, in the
 * folder `src`. Ends the program through fail() where one is missing or no good, or where the
 * numbers of images and labels disagree. Free with free_data_set(). */
data_set read_fashion_mnist(const char *src);

#endif
