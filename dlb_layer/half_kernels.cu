#include "half_kernels.h"

#include "gpu_stream.h"
#include "half_blocks.h"

enum { THREADS = 256 };

static unsigned blocks_for(const half_job *job, int maps) {
    return (unsigned)maps * (unsigned)half_tiles_of_map(&job->pass, job->tile);
}

cudaError_t launch_to_halves(const half_pass *pass) {
    half_job job = {*pass, half_tile_of(pass)};
    unsigned blocks = blocks_for(&job, pass->half_maps);
    to_halves_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(job);
    return cudaPeekAtLastError();
}

cudaError_t launch_from_halves(const half_pass *pass) {
    half_job job = {*pass, half_tile_of(pass)};
    unsigned blocks = blocks_for(&job, pass->maps);
    from_halves_kernel<<<blocks, THREADS, 0, gpu_stream()>>>(job);
    return cudaPeekAtLastError();
}
