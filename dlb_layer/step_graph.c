#include "step_graph.h"

#include "fail.h"
#include "network.h"
#include "shared_network_state.h"
#include "step_losses.h"

#include <stdbool.h>

/* Their passes launch kernels and nothing else, always the same ones. */
static bool is_known(const layer *l) {
    switch (l->type) {
    case CONVOLUTIONAL:
    case CONNECTED:
    case BATCHNORM:
    case ACTIVE:
    case MAXPOOL:
    case AVGPOOL:
    case SHORTCUT:
    case ROUTE:
    case DLB_COST:
        return true;
    case SOFTMAX:
        return !l->softmax_tree; /* a tree is sent to the device anew in each pass */
    default:
        return false;
    }
}

void check_step_graph(const network *net, const char *cfg_file) {
    for (int i = 0; i < net->n; i++)
        if (!is_known(&net->layers[i]))
            fail("%s: [net] cuda_graph=1 does not go with layer %d, a [%s]%s", cfg_file, i,
                 get_layer_string(net->layers[i].type),
                 net->layers[i].type == SOFTMAX ? " with a tree" : "");
    if (!one_softmax_has_the_cost(net))
        fail("%s: [net] cuda_graph=1 needs a network whose loss is that of one [softmax]",
             cfg_file);
    if (net->ranks && net->ranks->joins_statistics)
        fail("%s: [net] cuda_graph=1 does not go with sync_bn=1 on several ranks, which wait for "
             "each other in the midst of a step",
             cfg_file);
}

#ifdef GPU
#include "array_list_kernels.h"
#include "device_input.h"
#include "dlb_cost_layer.h"
#include "gpu_status.h"
#include "gradient_sums.h"
#include "gpu_stream.h"
#include "network_form.h"
#include "step_plan.h"
#include "whole_network_gpu.h"

#include <stdlib.h>

/* For cuBLAS, which may not allocate any while a step is captured, and takes the same products'
 * kernels before; what its manual asks for on the newest cards. */
static const size_t BLAS_WORKSPACE = (size_t)32 << 20;

struct step_graphs {
    network_form *form;
    cudaStream_t stream; /* to capture in; it waits for the default one, so that a launch there in
                            the midst of it is an error and not a kernel that is missing later */
    void *workspace;
    int count;
    cudaGraphExec_t *graphs; /* (count), see step_plan.h; NULL: not captured */
};

/* All that a layer launches. cublasSetStream() gives cuBLAS a workspace of its own. */
static void compute_in(const struct step_graphs *g, cudaStream_t stream) {
    set_gpu_stream(stream);
    check_cublas(cublasSetStream(blas_handle(), stream));
    check_cublas(cublasSetWorkspace(blas_handle(), g->workspace, BLAS_WORKSPACE));
#ifdef CUDNN
    check_cudnn(cudnnSetStream(cudnn_handle(), stream));
#endif
}

void use_step_graphs(network *net) {
    if (net->gpu_index < 0 || net->graphs)
        return;
    defer_losses(net);
    struct step_graphs *g = allocate(1, sizeof *g);
    g->form = network_form_create();
    g->count = count_step_plans(net);
    g->graphs = allocate((size_t)g->count, sizeof *g->graphs);
    check_error(cudaStreamCreate(&g->stream));
    check_error(cudaMalloc(&g->workspace, BLAS_WORKSPACE));
    compute_in(g, 0);
    check_error(load_array_kernels()); /* no update need have been before the first captured one */
    net->graphs = g;
}

static void drop_graphs(struct step_graphs *g) {
    for (int i = 0; i < g->count; i++) {
        if (g->graphs[i])
            check_error(cudaGraphExecDestroy(g->graphs[i]));
        g->graphs[i] = NULL;
    }
}

void free_step_graphs(struct step_graphs *g) {
    if (!g)
        return;
    drop_graphs(g);
    check_cublas(cublasSetStream(blas_handle(), 0));
    check_error(cudaStreamDestroy(g->stream));
    check_error(cudaFree(g->workspace));
    network_form_free(g->form);
    free(g->graphs);
    free(g);
}

static cudaGraphExec_t capture(const struct step_graphs *g, network *net, bool updates) {
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    compute_in(g, g->stream);
    check_error(cudaStreamBeginCapture(g->stream, cudaStreamCaptureModeThreadLocal));
    forward_network(net);
    backward_network(net);
    if (updates)
        launch_whole_update(net);
    check_error(cudaStreamEndCapture(g->stream, &graph));
    compute_in(g, 0);
    check_error(cudaGraphInstantiate(&executable, graph, 0));
    check_error(cudaGraphDestroy(graph));
    return executable;
}

/* What a step gets from the host, in order before the graph. */
static void bring_rows(network *net) {
    layer *dlb = find_dlb_cost_layer(net);
    if (dlb)
        send_dlb_cost_samples(dlb);
    if (take_device_input(net))
        return;
    cuda_push_array(net->input_gpu, net->input, (size_t)net->inputs * (size_t)net->batch);
    cuda_push_array(net->truth_gpu, net->truth, (size_t)net->truths * (size_t)net->batch);
}

int run_step_graph(network *net) {
    struct step_graphs *g = net->graphs;
    if (!g)
        return STEP_IS_LEFT;
    cuda_set_device(net->gpu_index);
    bring_delta_list_up_to_date(net);
    if (network_form_changes(g->form, net)) {
        drop_graphs(g);
        return STEP_IS_LEFT;
    }
    step_plan plan = plan_step(net, can_update_whole_network(net));
    cudaGraphExec_t *graph = &g->graphs[plan.graph];
    if (!*graph)
        *graph = capture(g, net, plan.updates);
    bring_rows(net);
    if (plan.updates)
        set_whole_update(net, begin_update(net));
    check_error(cudaGraphLaunch(*graph, 0));
    finish_gradient_sums(net);
    return plan.updates ? STEP_AND_UPDATE : STEP_WITHOUT_UPDATE;
}

#else

void use_step_graphs(network *net) {
    (void)net;
}

void free_step_graphs(struct step_graphs *graphs) {
    (void)graphs;
}

int run_step_graph(network *net) {
    (void)net;
    return STEP_IS_LEFT;
}
#endif
