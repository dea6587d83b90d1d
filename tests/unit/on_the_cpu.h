/* Included first by every test of a GPU build: networks are the CPU's unless a test says otherwise,
 * as in a CPU build, so that all tests run where there is no card. */
extern int gpu_index;

__attribute__((constructor)) static void start_on_the_cpu(void) {
    gpu_index = -1;
}
