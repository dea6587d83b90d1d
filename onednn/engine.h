/* The library's CPU engine, one for the process, and the way its errors end. */
#ifndef ONEDNN_ENGINE_H
#define ONEDNN_ENGINE_H

#include <oneapi/dnnl/dnnl.h>

/* Made at the first call; live until the process ends. Callable from any thread. */
dnnl_engine_t cpu_engine(void);
dnnl_stream_t cpu_stream(void);

/* Ends the program through fail(), naming `what`, where the library reports an error. */
void check_dnnl(dnnl_status_t status, const char *what);

/* Channels in a block of the layout that the library's convolutions like best on this machine:
 * 16 or 8; 0 where it has none but its reference code, which is slower than the host's. */
int preferred_block(void);

/* nChw16c or nChw8c */
dnnl_format_tag_t block_tag(int block);

/* The descriptor of a (batch, channels, height, width) tensor of floats. */
dnnl_memory_desc_t tensor_desc(int batch, int channels, int height, int width,
                               dnnl_format_tag_t tag);

/* Whether the primitive runs the library's reference code. */
int is_reference(const_dnnl_primitive_desc_t pd); /* or im2col and a matrix product */

#endif
