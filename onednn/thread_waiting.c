#include "cpu_backend.h"

#include <stdlib.h>
#include <unistd.h>

/* libgomp reads its settings when it is loaded, before main, so the program has to start anew for
 * them to count. Where it cannot, it goes on with the library's default, which is only slower. */
void wait_without_spinning(char **argv) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
        execv("/proc/self/exe", argv);
}
