#include "shortcut_gpu.h"

#ifdef GPU
#include "gpu_status.h"
#include "layer_slope.h"
#include "shortcut_kernels.h"

/* Whether it is one that the kernels know; *pass is what they take then. */
static bool find_pass(const layer *l, const network *net, shortcut_pass *pass) {
    const layer *other = &net->layers[l->index];
    bool same = l->w == l->out_w && l->h == l->out_h && l->c == l->out_c;
    *pass = (shortcut_pass){.input = net->input_gpu,
                            .other = other->output_gpu,
                            .output = l->output_gpu,
                            .delta = l->delta_gpu,
                            .input_delta = net->delta_gpu,
                            .other_delta = other->delta_gpu,
                            .count = (size_t)l->batch * (size_t)l->outputs,
                            .alpha = l->alpha,
                            .beta = l->beta};
    return same && find_slope(l->activation, &pass->slope);
}

int forward_whole_shortcut_gpu(const layer *l, const network *net) {
    shortcut_pass pass;
    if (!find_pass(l, net, &pass))
        return 0;
    check_error(launch_forward_shortcut(&pass));
    return 1;
}

int backward_whole_shortcut_gpu(const layer *l, const network *net) {
    shortcut_pass pass;
    if (!find_pass(l, net, &pass))
        return 0;
    check_error(launch_backward_shortcut(&pass));
    return 1;
}
#endif
