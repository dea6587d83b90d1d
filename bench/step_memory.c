/* The memory that training takes, for bench/growth.py.
 *
 *     step_memory CFG [ALPHA]     with [dlb_cost] where ALPHA is given
 *
 * Builds the network, trains three steps and prints the bytes that malloc has handed out for it
 * since (`heap`) and the largest resident size of the process (`peak`), both in bytes. Without
 * loader. */
#include "cpu_backend.h"
#include "device_input.h"
#include "fail.h"
#include "timed_steps.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

/* In use, of all arenas, and mapped apart. */
static size_t heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* VmHWM; the ru_maxrss of getrusage() would include what the process was before exec. */
static size_t peak_bytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kib = 0;
    while (file && !kib && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %zu kB", &kib) != 1)
            kib = 0;
    if (!kib)
        fail("/proc/self/status has no VmHWM");
    fclose(file);
    return 1024 * kib;
}

int main(int argc, char **argv) {
    wait_without_spinning(argv);
    if (argc < 2)
        fail("usage: step_memory CFG [ALPHA]");
    char *section =
        argc > 2 ? format_string("\n[dlb_cost]\nalpha=%s\n", argv[2]) : format_string("%s", "");
    size_t before = heap_bytes();
    network *net = load_network_with(argv[1], section);
    int64_t next_id = 0;
    for (int step = 0; step < 3; step++)
        train_one_step(net, &next_id);
    printf("heap %zu\npeak %zu\n", heap_bytes() - before, peak_bytes());
    free_device_input(net);
    free_network(net);
    free(section);
    return 0;
}
