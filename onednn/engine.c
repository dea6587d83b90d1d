#include "engine.h"

#include "fail.h"

#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static dnnl_stream_t stream;
static int native_block;

void check_dnnl(dnnl_status_t status, const char *what) {
    if (status != dnnl_success)
        fail("oneDNN: %s: status %d", what, (int)status);
}

dnnl_format_tag_t block_tag(int block) {
    return block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

dnnl_memory_desc_t tensor_desc(int batch, int channels, int height, int width,
                               dnnl_format_tag_t tag) {
    dnnl_memory_desc_t md;
    dnnl_dims_t dims = {batch, channels, height, width};
    check_dnnl(dnnl_memory_desc_init_by_tag(&md, 4, dims, dnnl_f32, tag), "tensor");
    return md;
}

int is_reference(const_dnnl_primitive_desc_t pd) {
    const char *name = "";
    check_dnnl(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name), "kernel's name");
    return strstr(name, "ref") != NULL || strstr(name, "gemm") != NULL;
}

/* Asks which layout a common convolution takes. */
static int find_block(void) {
    dnnl_memory_desc_t data = tensor_desc(2, 32, 16, 16, dnnl_format_tag_any), weights;
    dnnl_dims_t dims = {32, 32, 3, 3}, ones = {1, 1};
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd;
    check_dnnl(dnnl_memory_desc_init_by_tag(&weights, 4, dims, dnnl_f32, dnnl_format_tag_any),
               "weights");
    check_dnnl(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training,
                                                  dnnl_convolution_direct, &data, &weights, NULL,
                                                  &data, ones, ones, ones),
               "convolution");
    if (dnnl_primitive_desc_create(&pd, &desc, NULL, engine, NULL) != dnnl_success)
        return 0;
    const dnnl_memory_desc_t *chosen = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    int found = 0;
    for (int candidate = 8; candidate <= 16; candidate += 8) {
        dnnl_memory_desc_t wanted = tensor_desc(2, 32, 16, 16, block_tag(candidate));
        if (dnnl_memory_desc_equal(chosen, &wanted) && !is_reference(pd))
            found = candidate;
    }
    dnnl_primitive_desc_destroy(pd);
    return found;
}

static void start(void) {
    check_dnnl(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check_dnnl(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    native_block = find_block();
}

dnnl_engine_t cpu_engine(void) {
    pthread_once(&once, start);
    return engine;
}

dnnl_stream_t cpu_stream(void) {
    pthread_once(&once, start);
    return stream;
}

int preferred_block(void) {
    pthread_once(&once, start);
    return native_block;
}
