/* Stands in for the folder where the build has ONEDNN=0. */
#include "cpu_backend.h"

void take_over_layers(network *net) {
    (void)net;
}

void free_cpu_backend(layer l) {
    (void)l;
}

void wait_without_spinning(char **argv) {
    (void)argv;
}
