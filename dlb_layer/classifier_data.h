/* What a .data file says about training and validating a classifier, read and checked against the
 * network. */
#ifndef CLASSIFIER_DATA_H
#define CLASSIFIER_DATA_H

#include "darknet.h"
#include "train_list.h"

#include <stdbool.h>

typedef struct {
    int classes;
    int top;         /* top= for top-k accuracy, 1 by default */
    train_list list; /* the training or the validation list, every label resolved */
    char *list_file; /* its name */
    char *backup;    /* folder for weights and log; NULL for validation */
    tree *hierarchy; /* from tree= here or in the softmax; NULL without; not owned */
} classifier_data;

/* Reads data_file and the files it names: keys and defaults are the host's. Ends the program with
 * one sentence naming file, key and values if something is missing or does not fit: no backup=;
 * classes that are not the outputs of the network of cfg_file, fewer names than classes, tag=1, a
 * list without images or with unclear labels. `backup`, unless NULL, is the folder in place of the
 * one that the data file names, which it then need not. The caller releases the data with
 * free_classifier_data. */
classifier_data read_classifier_data(char *data_file, const char *cfg_file, network *net,
                                     const char *backup);

/* The same for the list that valid= names; backup= is not needed. */
classifier_data read_validation_data(char *data_file, const char *cfg_file, network *net);

/* Whether data_file has a line valid=. */
bool has_validation_list(char *data_file);

void free_classifier_data(classifier_data *data);

/* Ends the program if the network's input is not an image of three channels. */
void check_image_input(const char *cfg_file, const network *net);

/* Ends the program if `classes` of data_file are not the network's outputs. */
void check_classes(const char *data_file, int classes, const char *cfg_file, network *net);

#endif
