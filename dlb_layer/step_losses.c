#include "step_losses.h"

bool one_softmax_has_the_cost(const network *net) {
    int costs = 0, softmaxes = 0;
    for (int i = 0; i < net->n; i++) {
        costs += net->layers[i].cost != NULL;
        softmaxes += net->layers[i].cost && net->layers[i].type == SOFTMAX;
    }
    return costs == 1 && softmaxes == 1;
}

#ifdef GPU
#include "fail.h"
#include "gpu_status.h"
#include "step_losses_kernels.h"

#include <stdlib.h>

struct step_losses {
    double *sum; /* on the device */
};

static void clear_sum(const struct step_losses *losses) {
    check_error(cudaMemset(losses->sum, 0, sizeof *losses->sum));
}

void defer_losses(network *net) {
    if (net->gpu_index < 0 || net->losses || !one_softmax_has_the_cost(net))
        return;
    net->losses = allocate(1, sizeof *net->losses);
    check_error(cudaMalloc((void **)&net->losses->sum, sizeof *net->losses->sum));
    clear_sum(net->losses);
}

bool losses_are_deferred(const network *net) {
    return net->losses;
}

double take_deferred_losses(network *net) {
    double sum;
    check_error(cudaMemcpy(&sum, net->losses->sum, sizeof sum, cudaMemcpyDeviceToHost));
    clear_sum(net->losses);
    return sum;
}

void keep_step_losses(struct step_losses *losses, const float *losses_gpu, int count) {
    check_error(launch_add_losses(losses_gpu, count, losses->sum));
}

void free_step_losses(struct step_losses *losses) {
    if (!losses)
        return;
    check_error(cudaFree(losses->sum));
    free(losses);
}

#else

void defer_losses(network *net) {
    (void)net;
}

bool losses_are_deferred(const network *net) {
    (void)net;
    return false;
}

double take_deferred_losses(network *net) {
    (void)net;
    return 0;
}

void free_step_losses(struct step_losses *losses) {
    (void)losses;
}
#endif
