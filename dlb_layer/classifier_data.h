/* What a .data file says about training a classifier, read and checked against the network. */
#ifndef CLASSIFIER_DATA_H
#define CLASSIFIER_DATA_H

#include "darknet.h"
#include "train_list.h"

typedef struct {
    int classes;
    train_list list; /* the training list, every label resolved */
    char *list_file; /* its name */
    char *backup;    /* folder for weights and log */
    tree *hierarchy; /* from tree= here or in the softmax; NULL without; not owned */
} classifier_data;

/* Reads data_file and the files it names: keys and defaults are the host's. Ends the program with
 * one sentence naming file, key and values if something is missing or does not fit: no backup=;
 * classes that are not the outputs of the network of cfg_file, fewer names than classes, tag=1, a
 * list without images or with unclear labels. The caller releases it with free_classifier_data. */
classifier_data read_classifier_data(char *data_file, const char *cfg_file, network *net);

void free_classifier_data(classifier_data *data);

/* Ends the program if `classes` of data_file are not the network's outputs. */
void check_classes(const char *data_file, int classes, const char *cfg_file, network *net);

#endif
