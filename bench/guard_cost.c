/* What the look for NaN and infinities takes of a training step:
 *
 *     guard_cost CFG [ROUNDS]
 *
 * Prints the median seconds of a step without a guard, and of the guard's own work in a step that
 * is all finite, when it stops at a fault and when it drops updates, with their ratios to the
 * step; all in one run. */
#include "cpu_backend.h"
#include "fail.h"
#include "finite_guard.h"
#include "timed_steps.h"

#include <stdio.h>
#include <stdlib.h>

static double guard_seconds(network *net) {
    double start = what_time_is_it_now();
    finite_guard_begin(net->guard);
    for (int slot = 1; slot <= net->subdivisions; slot++)
        if (!passes_finite_guard(net, slot == net->subdivisions))
            fail("the network is not finite");
    finite_guard_end(net->guard);
    return what_time_is_it_now() - start;
}

int main(int argc, char **argv) {
    wait_without_spinning(argv); /* as in `classifier train` */
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (argc < 2 || rounds < 1)
        fail("usage: guard_cost CFG [ROUNDS]");
    network *net = load_network_with(argv[1], "");
    int64_t next_id = 0;
    double *step = allocate((size_t)rounds, sizeof *step);
    double *stops = allocate((size_t)rounds, sizeof *stops);
    double *drops = allocate((size_t)rounds, sizeof *drops);
    train_one_step(net, &next_id); /* warms up */
    for (int i = 0; i < rounds; i++) {
        step[i] = train_one_step(net, &next_id);
        struct finite_guard *guard = finite_guard_create(net, argv[1], false);
        stops[i] = guard_seconds(net);
        finite_guard_free(guard);
        guard = finite_guard_create(net, argv[1], true);
        drops[i] = guard_seconds(net);
        finite_guard_free(guard);
    }
    double whole = quantile(step, rounds, .5);
    double stop = quantile(stops, rounds, .5), drop = quantile(drops, rounds, .5);
    printf("step %.6f s, guard %.6f s (%.5f of it), with -on_nan=skip %.6f s (%.5f)\n", whole, stop,
           stop / whole, drop, drop / whole);
    free_network(net);
    free(step);
    free(stops);
    free(drops);
    return 0;
}
