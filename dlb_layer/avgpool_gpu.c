#include "avgpool_gpu.h"

#ifdef GPU
#include "avgpool_kernels.h"
#include "gpu_status.h"

static avgpool_pass shape_of(const layer *l) {
    return (avgpool_pass){.planes = l->batch * l->c,
                          .width = l->w,
                          .height = l->h,
                          .out_width = l->out_w,
                          .out_height = l->out_h,
                          .size = l->size,
                          .stride = l->stride,
                          .padding = l->pad};
}

void forward_local_avgpool_layer_gpu(layer l, network net) {
    avgpool_pass pass = shape_of(&l);
    pass.input = net.input_gpu;
    pass.output = l.output_gpu;
    check_error(launch_forward_avgpool(&pass));
}

void backward_local_avgpool_layer_gpu(layer l, network net) {
    avgpool_pass pass = shape_of(&l);
    pass.output_delta = l.delta_gpu;
    pass.input_delta = net.delta_gpu;
    check_error(launch_backward_avgpool(&pass));
}
#endif
