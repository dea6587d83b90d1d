#include "route_gpu.h"

#ifdef GPU
#include "gpu_status.h"
#include "row_kernels.h"

void forward_route_rows_gpu(const layer *l, const network *net) {
    float *to = l->output_gpu;
    for (int i = 0; i < l->n; i++) {
        size_t size = (size_t)l->input_sizes[i];
        rows_pass pass = {net->layers[l->input_layers[i]].output_gpu,
                          to,
                          (size_t)l->batch,
                          size,
                          size,
                          (size_t)l->outputs};
        check_error(launch_copy_rows(&pass));
        to += size;
    }
}

void backward_route_rows_gpu(const layer *l, const network *net) {
    const float *from = l->delta_gpu;
    for (int i = 0; i < l->n; i++) {
        size_t size = (size_t)l->input_sizes[i];
        rows_pass pass = {from,
                          net->layers[l->input_layers[i]].delta_gpu,
                          (size_t)l->batch,
                          size,
                          (size_t)l->outputs,
                          size};
        check_error(launch_add_rows(&pass));
        from += size;
    }
}
#endif
