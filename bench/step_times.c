/* Seconds of training steps without [dlb_cost], with alpha=0 and with alpha=1, for
 * bench/growth.py.
 *
 *     step_times CFG ROUNDS [SECONDS]
 *
 * Prints one line a round: the three arms' seconds, taken in turn; then `own` and the seconds that
 * the layer's own two passes take of a step. Stops early once SECONDS (default 60) are over, but
 * not before the third round. */
#include "cpu_backend.h"
#include "dlb_cost_layer.h"
#include "fail.h"
#include "timed_steps.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARMS = 3, FEWEST_ROUNDS = 3 };
static const char *const SECTIONS[ARMS] = {"", "\n[dlb_cost]\nalpha=0\n",
                                           "\n[dlb_cost]\nalpha=1\n"};

/* One step of each arm; the arm that begins changes from round to round. */
static void train_round(network *const nets[], int64_t next_id[], int round, double seconds[]) {
    for (int turn = 0; turn < ARMS; turn++) {
        int arm = (round + turn) % ARMS;
        seconds[arm] = train_one_step(nets[arm], &next_id[arm]);
    }
}

int main(int argc, char **argv) {
    wait_without_spinning(argv); /* as in `classifier train` */
    if (argc < 3 || atoi(argv[2]) < 1)
        fail("usage: step_times CFG ROUNDS [SECONDS]");
    int rounds = atoi(argv[2]), done = 0;
    double limit = argc > 3 ? atof(argv[3]) : 60, seconds[ARMS];
    network *nets[ARMS];
    int64_t next_id[ARMS] = {0};
    for (int arm = 0; arm < ARMS; arm++)
        nets[arm] = load_network_with(argv[1], SECTIONS[arm]);
    train_round(nets, next_id, 0, seconds); /* warms up, and gives the ring its teachers */
    double start = what_time_is_it_now();
    for (; done < rounds && (done < FEWEST_ROUNDS || what_time_is_it_now() - start < limit);
         done++) {
        train_round(nets, next_id, done, seconds);
        printf("%.6f %.6f %.6f\n", seconds[0], seconds[1], seconds[2]);
    }
    int expected = done * nets[2]->subdivisions * (nets[2]->batch / 2);
    if (take_dlb_cost_sums(find_dlb_cost_layer(nets[2])).teachers != expected)
        fail("the rows did not find their teachers; the figures would mean nothing");
    printf("own %.9f\n", dlb_cost_seconds(nets[2]));
    return 0;
}
