#include "half_key.h"

#include "cfg_value.h"
#include "fail.h"
#include "network.h"
#include "network_arrays.h"

#include <string.h>

#ifdef GPU
#include "gpu_status.h"

enum { LEAST_CAPABILITY = 8 }; /* major, of cards with bfloat16 */

static void check_device(const char *cfg_file, const char *text, half_type half, int adam) {
    if (half == HALF_FLOAT16 && adam)
        fail("%s: [net] half=1 does not go with adam=%d; half=bfloat16 does", cfg_file, adam);
#ifdef CUDNN
    int device, major, minor;
    check_error(cudaGetDevice(&device));
    check_error(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    check_error(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
    if (half == HALF_BFLOAT16 && major < LEAST_CAPABILITY)
        fail("%s: [net] half=%s needs a card of compute capability %d.0 or later, but this one's "
             "is %d.%d",
             cfg_file, text, LEAST_CAPABILITY, major, minor);
#else
    (void)half;
    fail("%s: [net] half=%s needs a build with CUDNN=1, or -nogpu, where it changes nothing",
         cfg_file, text);
#endif
}
#endif

half_type read_half(const char *cfg_file, list *net_options, int adam) {
    const char *text = cfg_text_value(cfg_file, "[net]", net_options, "half");
    half_type half = HALF_NONE;
    if (!text || !strcmp(text, "0"))
        return HALF_NONE;
    if (!strcmp(text, "1"))
        half = HALF_FLOAT16;
    else if (!strcmp(text, "bfloat16"))
        half = HALF_BFLOAT16;
    else
        fail("%s: [net] half=%s is not 0, 1 or bfloat16", cfg_file, text);
#ifdef GPU
    if (gpu_index >= 0)
        check_device(cfg_file, text, half, adam);
#else
    (void)adam;
#endif
    return half;
}

void check_half(const char *cfg_file, int index, const layer *l, half_type half) {
#ifdef GPU
    if (gpu_index >= 0 && half == HALF_FLOAT16 && l->update && !is_updated_by_list(l))
        fail("%s: [net] half=1 does not go with layer %d, a [%s]; half=bfloat16 does", cfg_file,
             index, get_layer_string(l->type));
#else
    (void)cfg_file, (void)index, (void)l, (void)half;
#endif
}
