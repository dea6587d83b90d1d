#include "conv_primitives.h"

#include "buffer_pool.h"
#include "engine.h"
#include "fail.h"

#include <stdlib.h>

/* Weights in the form that one pass wants, and the way there from the host's or back. */
typedef struct {
    dnnl_memory_t plain, own;
    dnnl_primitive_t reorder;
    float *data;
} weight_form;

typedef struct {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    weight_form weights;
} pass;

struct conv_primitives {
    conv_shape shape;
    dnnl_memory_desc_t input, output, input_delta, plain_weights, bias;
    dnnl_memory_t input_memory, output_memory, input_delta_memory, bias_memory;
    pass forward, backward_data, backward_weights;
};

/* ---- descriptors ---- */

static dnnl_memory_desc_t weights_desc(const conv_shape *s, int plain) {
    dnnl_memory_desc_t md;
    dnnl_dims_t whole = {s->out_channels, s->in_channels, s->size, s->size};
    dnnl_dims_t grouped = {s->groups, s->out_channels / s->groups, s->in_channels / s->groups,
                           s->size, s->size};
    int ndims = s->groups > 1 ? 5 : 4;
    dnnl_format_tag_t tag = s->groups > 1 ? dnnl_goihw : dnnl_oihw;
    check_dnnl(dnnl_memory_desc_init_by_tag(&md, ndims, s->groups > 1 ? grouped : whole, dnnl_f32,
                                            plain ? tag : dnnl_format_tag_any),
               "weights");
    return md;
}

static void describe(conv_primitives *c) {
    const conv_shape *s = &c->shape;
    dnnl_format_tag_t blocked = block_tag(s->block);
    c->input_delta = tensor_desc(s->batch, s->in_channels, s->in_height, s->in_width, blocked);
    c->input = s->plain_input
                   ? tensor_desc(s->batch, s->in_channels, s->in_height, s->in_width, dnnl_nchw)
                   : c->input_delta;
    c->output = tensor_desc(s->batch, s->out_channels, s->out_height, s->out_width, blocked);
    c->plain_weights = weights_desc(s, 1);
    dnnl_dims_t dims = {s->out_channels};
    check_dnnl(dnnl_memory_desc_init_by_tag(&c->bias, 1, dims, dnnl_f32, dnnl_x), "bias");
}

static dnnl_primitive_attr_t activation_attribute(const conv_shape *s) {
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    check_dnnl(dnnl_primitive_attr_create(&attr), "attributes");
    check_dnnl(dnnl_post_ops_create(&ops), "post-ops");
    if (s->with_bias && s->slope != 1)
        check_dnnl(dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, s->slope, 0),
                   "activation");
    check_dnnl(dnnl_primitive_attr_set_post_ops(attr, ops), "post-ops");
    dnnl_post_ops_destroy(ops);
    return attr;
}

/* ---- passes ---- */

enum {
    WINOGRAD_CHANNELS = 64, /* with fewer, the transforms cost what they save */
    WINOGRAD_TILES = 32 /* with fewer, reading its weights does, which are four times as large */
};

/* Of 4x4 outputs. */
static int tiles(const conv_shape *s) {
    return s->batch * ((s->out_height + 3) / 4) * ((s->out_width + 3) / 4);
}

/* Winograd's F(4x4, 3x3) needs a quarter of the products; with the data of a network its results
 * differ from a direct sum's by about as much as two orders of summation do. */
static int winograd_pays(const conv_shape *s) {
    return s->size == 3 && s->stride == 1 && s->groups == 1 &&
           s->in_channels >= WINOGRAD_CHANNELS && s->out_channels >= WINOGRAD_CHANNELS &&
           tiles(s) >= WINOGRAD_TILES;
}

typedef enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS } direction;

static dnnl_status_t describe_pass(const conv_primitives *c, direction way, dnnl_alg_kind_t how,
                                   dnnl_convolution_desc_t *desc) {
    const conv_shape *s = &c->shape;
    dnnl_dims_t strides = {s->stride, s->stride}, pad = {s->pad, s->pad};
    dnnl_memory_desc_t weights = weights_desc(s, 0);
    switch (way) {
    case FORWARD:
        return dnnl_convolution_forward_desc_init(desc, dnnl_forward_training, how, &c->input,
                                                  &weights, s->with_bias ? &c->bias : NULL,
                                                  &c->output, strides, pad, pad);
    case BACKWARD_DATA:
        return dnnl_convolution_backward_data_desc_init(desc, how, &c->input_delta, &weights,
                                                        &c->output, strides, pad, pad);
    default:
        return dnnl_convolution_backward_weights_desc_init(desc, how, &c->input, &weights, NULL,
                                                           &c->output, strides, pad, pad);
    }
}

/* Whether the library has code of its own for the pass that way. */
static int try_pass(const conv_primitives *c, pass *p, direction way, dnnl_alg_kind_t how,
                    const_dnnl_primitive_attr_t attr) {
    dnnl_convolution_desc_t desc;
    if (describe_pass(c, way, how, &desc) != dnnl_success)
        return 0;
    if (dnnl_primitive_desc_create(&p->pd, &desc, attr, cpu_engine(),
                                   way == FORWARD ? NULL : c->forward.pd) != dnnl_success)
        return 0;
    int reference_will_do = c->shape.reference_too || (way == BACKWARD_DATA && c->shape.first);
    if (reference_will_do || !is_reference(p->pd))
        return 1;
    dnnl_primitive_desc_destroy(p->pd);
    p->pd = NULL;
    return 0;
}

static int make_pass(const conv_primitives *c, pass *p, direction way,
                     const_dnnl_primitive_attr_t attr) {
    return (winograd_pays(&c->shape) && try_pass(c, p, way, dnnl_convolution_winograd, attr)) ||
           try_pass(c, p, way, dnnl_convolution_direct, attr);
}

static int make_passes(conv_primitives *c) {
    dnnl_primitive_attr_t attr = activation_attribute(&c->shape);
    int made = make_pass(c, &c->forward, FORWARD, attr);
    dnnl_primitive_attr_destroy(attr);
    return made && make_pass(c, &c->backward_data, BACKWARD_DATA, NULL) &&
           make_pass(c, &c->backward_weights, BACKWARD_WEIGHTS, NULL);
}

static dnnl_memory_t make_memory(const dnnl_memory_desc_t *md, void *data) {
    dnnl_memory_t memory;
    check_dnnl(dnnl_memory_create(&memory, md, cpu_engine(), data), "memory");
    return memory;
}

/* `back`: from the library's form, added to the host's; otherwise from the host's. */
static void make_weight_form(conv_primitives *c, pass *p, dnnl_query_t query, int back) {
    weight_form *w = &p->weights;
    const dnnl_memory_desc_t *own = dnnl_primitive_desc_query_md(p->pd, query, 0);
    w->data = aligned_floats(dnnl_memory_desc_get_size(own) / sizeof(float));
    w->own = make_memory(own, w->data);
    w->plain = make_memory(&c->plain_weights, DNNL_MEMORY_NONE);
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    dnnl_primitive_desc_t pd;
    check_dnnl(dnnl_primitive_attr_create(&attr), "attributes");
    check_dnnl(dnnl_post_ops_create(&ops), "post-ops");
    if (back)
        check_dnnl(dnnl_post_ops_append_sum(ops, 1), "sum");
    check_dnnl(dnnl_primitive_attr_set_post_ops(attr, ops), "post-ops");
    check_dnnl(dnnl_reorder_primitive_desc_create(&pd, back ? own : &c->plain_weights, cpu_engine(),
                                                  back ? &c->plain_weights : own, cpu_engine(),
                                                  attr),
               "reorder of weights");
    check_dnnl(dnnl_primitive_create(&w->reorder, pd), "reorder of weights");
    dnnl_primitive_desc_destroy(pd);
    dnnl_post_ops_destroy(ops);
    dnnl_primitive_attr_destroy(attr);
}

static void finish_pass(conv_primitives *c, pass *p, dnnl_query_t query, int back) {
    check_dnnl(dnnl_primitive_create(&p->primitive, p->pd), "convolution");
    make_weight_form(c, p, query, back);
}

conv_primitives *conv_primitives_create(const conv_shape *shape) {
    conv_primitives *c = allocate(1, sizeof *c);
    c->shape = *shape;
    describe(c);
    if (!make_passes(c)) {
        conv_primitives_free(c);
        return NULL;
    }
    finish_pass(c, &c->forward, dnnl_query_weights_md, 0);
    finish_pass(c, &c->backward_data, dnnl_query_weights_md, 0);
    finish_pass(c, &c->backward_weights, dnnl_query_diff_weights_md, 1);
    c->input_memory = make_memory(&c->input, DNNL_MEMORY_NONE);
    c->output_memory = make_memory(&c->output, DNNL_MEMORY_NONE);
    c->input_delta_memory = make_memory(&c->input_delta, DNNL_MEMORY_NONE);
    c->bias_memory = make_memory(&c->bias, DNNL_MEMORY_NONE);
    return c;
}

/* The library's destroy functions take NULL. */
static void free_pass(pass *p) {
    dnnl_primitive_destroy(p->primitive);
    dnnl_primitive_desc_destroy(p->pd);
    dnnl_primitive_destroy(p->weights.reorder);
    dnnl_memory_destroy(p->weights.own);
    dnnl_memory_destroy(p->weights.plain);
    free(p->weights.data);
}

void conv_primitives_free(conv_primitives *c) {
    if (!c)
        return;
    free_pass(&c->forward);
    free_pass(&c->backward_data);
    free_pass(&c->backward_weights);
    dnnl_memory_destroy(c->input_memory);
    dnnl_memory_destroy(c->output_memory);
    dnnl_memory_destroy(c->input_delta_memory);
    dnnl_memory_destroy(c->bias_memory);
    free(c);
}

/* ---- running ---- */

static dnnl_memory_t at(dnnl_memory_t memory, const float *data) {
    check_dnnl(dnnl_memory_set_data_handle(memory, (void *)data), "memory");
    return memory;
}

static void run(dnnl_primitive_t primitive, int count, const dnnl_exec_arg_t *args) {
    check_dnnl(dnnl_primitive_execute(primitive, cpu_stream(), count, args), "primitive");
    check_dnnl(dnnl_stream_wait(cpu_stream()), "stream");
}

static dnnl_memory_t take_weights(weight_form *w, const float *weights) {
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, at(w->plain, weights)}, {DNNL_ARG_TO, w->own}};
    run(w->reorder, 2, args);
    return w->own;
}

void conv_forward(conv_primitives *c, const float *input, const float *weights, const float *bias,
                  float *output) {
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, at(c->input_memory, input)},
                              {DNNL_ARG_WEIGHTS, take_weights(&c->forward.weights, weights)},
                              {DNNL_ARG_DST, at(c->output_memory, output)},
                              {DNNL_ARG_BIAS, at(c->bias_memory, bias)}};
    run(c->forward.primitive, c->shape.with_bias ? 4 : 3, args);
}

void conv_backward_weights(conv_primitives *c, const float *input, const float *delta,
                           float *weight_updates) {
    weight_form *w = &c->backward_weights.weights;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, at(c->input_memory, input)},
                              {DNNL_ARG_DIFF_DST, at(c->output_memory, delta)},
                              {DNNL_ARG_DIFF_WEIGHTS, w->own}};
    run(c->backward_weights.primitive, 3, args);
    dnnl_exec_arg_t back[] = {{DNNL_ARG_FROM, w->own}, {DNNL_ARG_TO, at(w->plain, weight_updates)}};
    run(w->reorder, 2, back);
}

void conv_backward_data(conv_primitives *c, const float *weights, const float *delta,
                        float *input_delta) {
    dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, at(c->output_memory, delta)},
                              {DNNL_ARG_WEIGHTS, take_weights(&c->backward_data.weights, weights)},
                              {DNNL_ARG_DIFF_SRC, at(c->input_delta_memory, input_delta)}};
    run(c->backward_data.primitive, 3, args);
}
