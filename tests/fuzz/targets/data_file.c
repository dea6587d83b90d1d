#include "classifier_data.h"
#include "fuzz_target.h"
#include "run_files.h"

#include <stdlib.h>

enum { CLASSES = 3 };

/* The input is several files; x.data is the one to read, its lists are looked for beside it. */
FUZZ_TARGET_THAT(true, data_file,
                 "dlb_layer/classifier_data.c darknet/host/src/option_list.c "
                 "darknet/host/src/tree.c darknet/host/src/list.c") {
    network net = {.outputs = CLASSES};
    char *folder = folder_of(data, size);
    enter_folder(folder);
    has_validation_list("x.data");
    classifier_data valid = read_validation_data("x.data", "x.cfg", &net);
    free_classifier_data(&valid);
    classifier_data train = read_classifier_data("x.data", "x.cfg", &net, NULL);
    free_classifier_data(&train);
    free(folder);
}
