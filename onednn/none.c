/* Stands in for the folder where the build has ONEDNN=0. */
#include "cpu_backend.h"

void take_over_layers(network *net) {
    (void)net;
}

int count_taken_over(const network *net) {
    (void)net;
    return 0;
}

const float *backend_output(const layer *l, size_t *count) {
    (void)l, (void)count;
    return NULL;
}

void free_cpu_backend(layer l) {
    (void)l;
}

void wait_without_spinning(char **argv) {
    (void)argv;
}
